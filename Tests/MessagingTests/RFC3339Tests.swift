import Foundation
import TestSupport
import Testing

@testable import Messaging

@Suite struct RFC3339Tests {
    @Test func agreesWithFoundation() throws {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        var generator = SeededGenerator(3)
        for _ in 0..<3000 {
            // From 1900 on: before, Foundation's calendar is not the proleptic Gregorian one everywhere.
            let time = Int64.random(in: -2_208_988_800_000...253_402_300_799_999, using: &generator)
            let text = RFC3339.text(milliseconds: time)
            #expect(RFC3339.milliseconds(text) == time)
            let date = try #require(formatter.date(from: text))
            #expect(Int64((date.timeIntervalSince1970 * 1000).rounded()) == time, "\(text)")
        }
    }

    @Test(
        arguments: [
            ("1970-01-01T00:00:00Z", 0), ("1970-01-01T00:00:00.5Z", 500), ("1970-01-01t00:00:01z", 1000),
            ("1970-01-01 00:00:00.123999Z", 123),
            ("1970-01-01T01:00:00+01:00", 0), ("1969-12-31T23:30:00-00:30", 0),
            ("2000-02-29T00:00:00Z", 951_782_400_000),
            ("1990-12-31T23:59:60Z", 662_688_000_000), ("0000-01-01T00:00:00Z", -62_167_219_200_000),
            ("9999-12-31T23:59:59.999Z", 253_402_300_799_999),
        ] as [(String, Int64)])
    func reads(text: String, milliseconds: Int64) {
        #expect(RFC3339.milliseconds(text) == milliseconds)
    }

    @Test(arguments: [
        "", "2026-01-31", "2026-01-31T12:00:00", "2026-1-31T12:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
        "2026-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z", "2026-01-31T24:00:00Z",
        "2026-01-31T12:60:00Z", "2026-01-31T12:00:61Z",
        "2026-01-31T12:00:00.Z", "2026-01-31T12:00:00+24:00", "2026-01-31T12:00:00+0100", "2026-01-31T12:00:00Zx",
        " 2026-01-31T12:00:00Z",
        "-026-01-31T12:00:00Z", "2026-01-31T12:00:00,5Z", "٢٠٢٦-01-31T12:00:00Z",
    ])
    func refuses(text: String) {
        #expect(RFC3339.milliseconds(text) == nil)
    }

    @Test func clampsWhatHasNoText() {
        #expect(RFC3339.text(milliseconds: .max) == "9999-12-31T23:59:59.999Z")
        #expect(RFC3339.text(milliseconds: .min) == "0000-01-01T00:00:00.000Z")
    }
}
