import Foundation
import Telemetry
import Testing

struct TimestampTests {
    /// Foundation's formatter is the oracle, over a few thousand days of all centuries that it and RFC 3339 share.
    @Test func agreesWithFoundation() {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        // Foundation's calendar is Julian before 1582: begin after that.
        var milliseconds: Int64 = -11_676_096_000_000
        while milliseconds < 253_402_300_799_999 {
            let date = Date(timeIntervalSince1970: Double(milliseconds) / 1000)
            #expect(Timestamp.string(milliseconds: milliseconds) == formatter.string(from: date))
            milliseconds += 86_400_000 * 37 + 12_345_000
        }
    }

    @Test(arguments: [
        (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"), (Int64.max, "9999-12-31T23:59:59.999Z"),
        (Int64.min, "0000-01-01T00:00:00.000Z"),
    ])
    func knowsTheEdges(milliseconds: Int64, text: String) {
        #expect(Timestamp.string(milliseconds: milliseconds) == text)
    }

    @Test func nowIsNow() {
        #expect(abs(Double(Timestamp.now()) / 1000 - Date().timeIntervalSince1970) < 5)
    }
}
