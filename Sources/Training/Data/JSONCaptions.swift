import Foundation

/// COCO's annotations and Karpathy's splits, which are alike enough for one reading.
struct JSONCaptions: Decodable {
    /// COCO numbers images; others give them names.
    struct Identifier: Decodable {
        var text: String

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            text = try (try? value.decode(Int.self)).map(String.init) ?? value.decode(String.self)
        }
    }

    struct Sentence: Decodable {
        var raw: String
    }

    struct Image: Decodable {
        var id: Identifier?
        var cocoName: String?
        var name: String?
        /// The folder, in Karpathy's file of COCO.
        var folder: String?
        var split: String?
        var sentences: [Sentence]?

        enum CodingKeys: String, CodingKey {
            case id, split, sentences
            case cocoName = "file_name"
            case name = "filename"
            case folder = "filepath"
        }

        var path: String? {
            guard let file = name ?? cocoName else { return nil }
            return folder.map { "\($0)/\(file)" } ?? file
        }
    }

    struct Annotation: Decodable {
        var image: Identifier
        var caption: String

        enum CodingKeys: String, CodingKey {
            case image = "image_id"
            case caption
        }
    }

    var images: [Image]
    var annotations: [Annotation]?

    static func decode(_ data: Data, name: String) throws(TrainingError) -> JSONCaptions {
        do {
            return try JSONDecoder().decode(Self.self, from: data)
        } catch DecodingError.keyNotFound(let key, let context) {
            throw TrainingError("\(name): \(place(context.codingPath))the field '\(key.stringValue)' is missing")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            throw TrainingError("\(name): \(place(context.codingPath))another type than it should have")
        } catch {
            throw TrainingError("\(name): not the JSON that was expected: \(error.localizedDescription)")
        }
    }

    private static func place(_ path: [any CodingKey]) -> String {
        path.isEmpty ? "" : path.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".") + ": "
    }
}
