import Foundation

/// What a result says, as far as this program needs it.
struct Answer: Decodable, Equatable, Sendable {
    struct Failure: Decodable, Equatable, Sendable {
        var code: String
        var message: String
    }

    var id: String
    var image: String
    var status: String
    var caption: String?
    var error: Failure?

    /// nil for a value that is no result.
    init?(json: [UInt8]) {
        guard let answer = try? JSONDecoder().decode(Answer.self, from: Data(json)) else { return nil }
        self = answer
    }

    var isOK: Bool { status == "ok" && caption != nil }

    /// A line of the table: image, caption or error.
    var tableRow: String {
        let text = isOK ? caption ?? "" : "error \(error?.code ?? status): \(error?.message ?? "")"
        return Self.tableRow(image, text)
    }

    static let tableHeader = tableRow("IMAGE", "CAPTION")

    private static func tableRow(_ image: String, _ text: String) -> String {
        let image = printable(image)
        return image + String(repeating: " ", count: max(2, 34 - image.count)) + printable(text)
    }

    /// What stands in a result comes from others: nothing in it may steer a terminal.
    private static func printable(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "?" : $0 }))
    }
}
