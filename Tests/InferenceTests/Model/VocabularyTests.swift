import Foundation
import Testing

@testable import Inference

struct VocabularyTests {
    private func read(_ text: String) throws -> [String] {
        try Array(text.utf8).withBytes { (bytes) throws(ModelError) in try Vocabulary(text: bytes).words }
    }

    @Test func countsLinesFromZero() throws {
        #expect(try read("<pad>\na\nüber\n") == ["<pad>", "a", "über"])
        #expect(try read("<pad>\na") == ["<pad>", "a"])
        #expect(try Vocabulary(words: ["x", "y"]).text == Data("x\ny\n".utf8))
    }

    @Test(arguments: [
        "", "\n", "a\n\nb\n", "a\nb\na\n", "a\r\nb\r\n", "a\tb\n", "a\u{0}\n", String(repeating: "x", count: 257),
    ])
    func refuses(_ text: String) { #expect(throws: ModelError.self) { try read(text) } }

    @Test func refusesInvalidUTF8() {
        #expect(throws: ModelError.self) {
            try [UInt8]([0x61, 0x0a, 0xff, 0x0a]).withBytes { (bytes) throws(ModelError) in try Vocabulary(text: bytes)
            }
        }
    }
}
