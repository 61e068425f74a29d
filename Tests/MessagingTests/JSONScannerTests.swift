import Foundation
import TestSupport
import Testing

@testable import Messaging

/// The scanner against Foundation's parser as the oracle.
@Suite struct JSONScannerTests {
    /// Whether our scanner takes the text as one JSON value.
    static func accepts(_ text: [UInt8], maximumDepth: Int = 64) -> Bool {
        text.withUnsafeBufferPointer { bytes in
            var scanner = JSONScanner(bytes, maximumDepth: maximumDepth)
            do {
                try scanner.skipValue(depth: 0)
                scanner.skipWhiteSpace()
                return scanner.isAtEnd
            } catch {
                return false
            }
        }
    }

    static func foundationAccepts(_ text: [UInt8]) -> Bool {
        (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
    }

    static let valid = [
        "0", "-0", "1", "-1", "10", "0.5", "-0.5", "1e5", "1E5", "1e+5", "1e-5", "1.25e10", "0e0", "123456789",
        "true", "false", "null", "\"\"", "\"a\"", " 1 ", "\t\r\n1", "[]", "[ ]", "[1]", "[1,2]", "[[],[[]],{}]", "{}",
        "{ }",
        #"{"a":1}"#, #"{"a":1,"b":2}"#, #"{"a":{"b":{"c":[]}}}"#, #"{"":0}"#, #"[{"a":[1,{"b":null}]},"x"]"#,
        #""\"\\\/\b\f\n\r\t""#, #""\u0041""#, #""\u00e9""#, #""\uD834\uDD1E""#, #""\ud834\udd1e""#, #""\u0000""#,
        "\"\u{7f}\"",
        "\"é€😀\"", "\"\u{10FFFF}\"", "\"\u{FFFF}\"", #"{"a":"\u0062"}"#, "[1 , 2 ,3 ]", #"{ "a" : 1 , "b" : [ ] }"#,
        "[0.1,1e1,true,false,null,\"\"]", #"" \\""#,
    ]

    static let invalid = [
        "", " ", "+1", "01", "-", "-01", "1.", ".5", "1.e5", "1e", "1e+", "1e-", "0x10", "1_0", "--1", "Infinity",
        "NaN", "-Infinity",
        "tru", "True", "nul", "nulll", "truefalse", "\"", "\"a", "a\"", "'a'", "[", "]", "[1", "[1,", "[1,]", "[,1]",
        "[1 2]", "[1,,2]", "[}",
        "{", "}", "{]", #"{"a"}"#, #"{"a":}"#, #"{"a":1"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{"a" 1}"#, #"{a:1}"#, "{1:1}",
        #"{"a":1 "b":2}"#,
        #"{"a":1}}"#, "[1]]", "1 2", "[] []", #""\x""#, #""\u""#, #""\u00""#, #""\u00g0""#, #""\uD834""#, #""\uD834x""#,
        #""\uD834\n""#,
        #""\uDD1E""#, #""\uD834\u0041""#, #""\uD834\uD834""#, "\"\n\"", "\"\t\"", "\"\u{0}\"", "\"\u{1f}\"", "\u{a0}1",
        "\u{feff}1", "1\u{0}", "[1]\u{0}",
        "/*a*/1", "1//a", "#", "undefined", "\\u0031", #"{"a":1,"#, #"["a",{"b":["#, "1\u{0b}", #""\"#, #""\u12"#,
    ]

    @Test(arguments: valid) func takesJSON(text: String) {
        #expect(Self.foundationAccepts(Array(text.utf8)), "the oracle should take it")
        #expect(Self.accepts(Array(text.utf8)))
    }

    @Test(arguments: invalid) func refusesWhatIsNotJSON(text: String) {
        #expect(!Self.accepts(Array(text.utf8)))
    }

    @Test(
        arguments: [
            [0x80], [0xBF], [0xC0, 0xAF], [0xC1, 0xBF], [0xC3], [0xE0, 0x80, 0xAF], [0xE0, 0x9F, 0xBF],
            [0xED, 0xA0, 0x80],
            [0xED, 0xBF, 0xBF], [0xE2, 0x82], [0xF0, 0x80, 0x80, 0xAF], [0xF0, 0x8F, 0xBF, 0xBF],
            [0xF4, 0x90, 0x80, 0x80],
            [0xF5, 0x80, 0x80, 0x80], [0xF0, 0x9F, 0x98], [0xFE], [0xFF], [0xE2, 0x28, 0xA1], [0xF0, 0x9F, 0x28, 0x80],
        ] as [[UInt8]])
    func refusesInvalidUTF8(bytes: [UInt8]) {
        #expect(!Self.accepts([0x22] + bytes + [0x22]))
        #expect(String(validating: bytes, as: UTF8.self) == nil, "the oracle should refuse it")
    }

    @Test func everyScalarIsTakenAndRead() throws {
        for value in UInt32(0x20)...0x10FFFF where value % 7 == 0 || value < 0x3000 {
            guard let scalar = Unicode.Scalar(value), scalar != "\"", scalar != "\\" else { continue }
            let text = String(Character(scalar))
            #expect(try Self.read("\"\(text)\"") == text)
        }
    }

    static func read(_ text: String) throws -> String {
        try Array(text.utf8).withUnsafeBufferPointer { bytes in
            var scanner = JSONScanner(bytes, maximumDepth: 1)
            return try scanner.readString()
        }
    }

    @Test(arguments: [
        #""\"\\\/\b\f\n\r\t""#, #""a\u0041é\u00e9😀\uD83D\uDE00z""#, #""\u0000\u001f""#, #""""#, #""\u20AC\u20ac""#,
    ])
    func readsStringsAsFoundationDoes(text: String) throws {
        let expected = try JSONDecoder().decode(String.self, from: Data(text.utf8))
        #expect(try Self.read(text) == expected)
    }

    @Test func countsNesting() {
        for depth in [1, 2, 63, 64, 65, 100] {
            let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let objects =
                String(repeating: #"{"a":"#, count: depth - 1) + "{}" + String(repeating: "}", count: depth - 1)
            #expect(Self.accepts(Array(arrays.utf8)) == (depth <= 64), "\(depth)")
            #expect(Self.accepts(Array(objects.utf8)) == (depth <= 64), "\(depth)")
        }
        let deep = [UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)
        #expect(!Self.accepts(deep))
        #expect(!Self.accepts(deep, maximumDepth: 2_000_000), "it has no end")
    }

    /// Bytes changed, dropped, doubled: both parsers say the same. Where they may differ is left out and told.
    @Test func agreesWithFoundationOnMutations() {
        var generator = SeededGenerator(20_261_121)
        let corpus =
            Self.valid.map { Array($0.utf8) } + [
                Array(
                    #"{"image":"a/b.jpg","id":"x\u00e9","beam":3,"metadata":{"k":[1,2.5,-3e2,true,null,"s"]},"batch":"n"}"#
                        .utf8)
            ]
        let interesting: [UInt8] =
            Array("\"\\{}[]:,0123456789eE+-.tfnu \u{e9}\u{20ac}\n\t".utf8) + [0x00, 0x80, 0xC0, 0xED, 0xFF, 0x1F]
        var agreed = 0
        for _ in 0..<40_000 {
            var text = corpus[Int.random(in: 0..<corpus.count, using: &generator)]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0...text.count, using: &generator)
                let byte = interesting[Int.random(in: 0..<interesting.count, using: &generator)]
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: text.insert(byte, at: place)
                case 1: if place < text.count { text.remove(at: place) }
                default: if place < text.count { text[place] = byte }
                }
            }
            if Self.isOutsideTheOracle(text) { continue }
            let ours = Self.accepts(text)
            let theirs = Self.foundationAccepts(text)
            #expect(ours == theirs, "\(String(decoding: text, as: UTF8.self)) \(text)")
            if ours == theirs { agreed += 1 }
        }
        #expect(agreed > 20_000)
    }

    /// Foundation guesses UTF-16 and UTF-32 by zero bytes, refuses numbers that a Double cannot hold, and keeps one of two
    /// fields of a name, which RFC 8259 leaves open; it takes a comma before the end of an array or object, which RFC 8259 does not.
    static func isOutsideTheOracle(_ text: [UInt8]) -> Bool {
        if text.contains(0) || text.first == 0xFF || text.first == 0xFE || text.starts(with: [0xEF, 0xBB, 0xBF]) {
            return true
        }
        let dense = text.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
        if zip(dense, dense.dropFirst()).contains(where: {
            $0 == UInt8(ascii: ",") && ($1 == UInt8(ascii: "]") || $1 == UInt8(ascii: "}"))
        }) {
            return true
        }
        let words = text.split { !("0123456789eE+-.".utf8.contains($0)) }
        return words.contains { word in
            guard let number = Double(String(decoding: word, as: UTF8.self)) else { return false }
            return !number.isFinite || (number == 0 && word.contains { (0x31...0x39).contains($0) })
        }
    }
}
