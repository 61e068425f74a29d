import Foundation
import Testing

@testable import Inference

/// The strict parser against Foundation's.
struct JSONParserTests {
    @Test(arguments: [
        "null", " true", "false ", "0", "-1", "9007199254740993", "1.5", "-2.5e-3", "1E+2", "\"\"",
        "\"a\\n\\u00e9\\ud83d\\ude00\"", "\"é\"",
        "[]", "[1, [2, [3]], {}]", "{}", #"{"a": 1, "b": {"a": [true, null]}, "": "x"}"#, "\n\t\r [ ] \n",
    ])
    func agreesWithFoundation(_ text: String) throws {
        let foundation = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        let ours = try JSONParser.parse(Array(text.utf8))
        let again = try JSONSerialization.jsonObject(with: JSONEncoder().encode([ours]))
        #expect((again as? NSArray) == [foundation] as NSArray)
    }

    @Test(arguments: [
        "", " ", "nul", "tru e", "01", "1.", ".5", "1e", "+1", "-", "1e999", "NaN", "\"", "\"a", "\"\\x\"",
        "\"\\ud800\"", "\"\n\"", "[", "[1", "[1,",
        "[1,]", "[,]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}", "1 2",
        "[] []", "{\"a\":1,\"a\":2}",
        "{\"a\":1,\"\\u0061\":2}", "[{\"b\":{\"x\":1,\"x\":1}}]",
    ])
    func refuses(_ text: String) {
        #expect(throws: ModelError.self) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test func refusesInvalidUTF8() {
        #expect(throws: ModelError.self) { try JSONParser.parse([0x22, 0xff, 0x22]) }
        #expect(throws: ModelError.self) { try JSONParser.parse([0x22, 0xc0, 0x80, 0x22]) }
    }

    @Test func limitsNesting() throws {
        let deep = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        _ = try JSONParser.parse(Array(deep(64).utf8))
        #expect(throws: ModelError.self) { try JSONParser.parse(Array(deep(65).utf8)) }
        #expect(throws: ModelError.self) { try JSONParser.parse(Array(deep(1_000_000).utf8)) }
    }

    @Test func tellsWhereMembersLie() throws {
        let text = Array(#" {"a" : [1, {"digest": 5}] , "digest":"x"} "#.utf8)
        let members = try text.withBytes { (bytes) throws(ModelError) in try JSONParser.parseWithRanges(bytes).members }
        #expect(
            members.mapValues { String(decoding: text[$0], as: UTF8.self) } == [
                "a": #"[1, {"digest": 5}]"#, "digest": "\"x\"",
            ])
    }
}
