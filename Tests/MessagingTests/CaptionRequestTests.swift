import TestSupport
import Testing

@testable import Messaging

@Suite struct CaptionRequestTests {
    static func message(_ value: [UInt8]?, key: [UInt8]? = nil, headers: [KafkaHeader] = []) -> KafkaMessage {
        KafkaMessage(topic: "t", partition: 2, offset: 7, timestamp: 5, key: key, value: value, headers: headers)
    }

    static func parse(_ text: String) -> ParsedRequest { CaptionRequest.parse(message(Array(text.utf8))) }

    @Test func readsEveryField() {
        let parsed = Self.parse(
            #"""
            {"id":"x-\u00e9","image":"a/b.jpg","model":"small@1","beam":5,"candidates":2,"max_words":12,"unknown":[1,{"a":2}],
             "expires_at":"2026-01-31T12:00:00.250Z","batch":"night","metadata":{"k" : [1, 2.50, "\u0041"]}}
            """#)
        var expected = CaptionRequest(id: "x-é", image: "a/b.jpg")
        expected.model = "small@1"
        expected.beam = 5
        expected.candidates = 2
        expected.maxWords = 12
        expected.expiresAt = 1_769_860_800_250
        expected.batch = "night"
        expected.metadata = Array(#"{"k" : [1, 2.50, "\u0041"]}"#.utf8)
        #expect(parsed == ParsedRequest(request: expected))
    }

    @Test func theDefaultIDNamesTheRecord() {
        #expect(Self.parse(#"{"image":"a.jpg"}"#).request.id == "t:2:7")
        #expect(Self.parse(#"{"image":"a.jpg","id":null}"#).request.id == "t:2:7")
    }

    @Test(arguments: [
        ("a.jpg", "a.jpg"), ("a.jpg\n", "a.jpg"), ("a.jpg\r\n", "a.jpg"), ("\u{feff}a.jpg", "a.jpg"),
        ("dir/ä b.jpg", "dir/ä b.jpg"),
        (" a.jpg", " a.jpg"), ("", ""), ("\n", ""), ("\"a.jpg\"", "\"a.jpg\""), ("[1]", "[1]"), ("../x", "../x"),
    ])
    func aValueWithoutABraceIsThePath(value: String, image: String) {
        #expect(Self.parse(value) == ParsedRequest(request: CaptionRequest(id: "t:2:7", image: image)))
    }

    @Test(arguments: [
        "\u{feff}{\"image\":\"a\"}", " \n\t\r{\"image\":\"a\"}", "\u{feff}  {\"image\":\"a\"} \n",
        "{\"im\\u0061ge\":\"a\"}",
    ])
    func skipsWhatMayStandAround(value: String) {
        #expect(Self.parse(value) == ParsedRequest(request: CaptionRequest(id: "t:2:7", image: "a")))
    }

    @Test(arguments: [
        "{", "{}", "{]", #"{"image":"a""#, #"{"image":"a"}}"#, #"{"image":"a"}{"#, #"{"image":"a",}"#,
        #"{"image" "a"}"#, #"{image:"a"}"#,
        #"{"image":1}"#, #"{"image":null}"#, #"{"image":["a"]}"#, #"{"id":"x"}"#, #"{"image":"a","image":"b"}"#,
        #"{"image":"a","id":5}"#,
        #"{"image":"a","id":""}"#, #"{"image":"a","beam":"3"}"#, #"{"image":"a","beam":true}"#,
        #"{"image":"a","beam":[3]}"#,
        #"{"image":"a","batch":{}}"#, #"{"image":"a","model":3}"#, #"{"image":"a","expires_at":"tomorrow"}"#,
        #"{"image":"a","expires_at":5}"#,
        #"{"image":"a","x":01}"#, #"{"image":"\ud800"}"#, "{\"image\":\"a\nb\"}", #"{"image":"a","metadata":}"#,
        #"{"image":"a","x":nul}"#,
        #"{"image":"a"} x"#,
    ])
    func malformed(value: String) {
        #expect(Self.parse(value).failure?.code == .requestMalformed)
    }

    @Test func malformedBytes() {
        for value in [
            nil, [0], [0, 0, 0, 0, 1, 0x61], [0xFF], [0x61, 0xC3], Array("{\"image\":\"".utf8) + [0xC3, 0x22, 0x7D],
        ] as [[UInt8]?] {
            #expect(CaptionRequest.parse(Self.message(value)).failure?.code == .requestMalformed, "\(value ?? [])")
        }
    }

    @Test(
        arguments: ["beam", "candidates", "max_words"],
        ["0", "-1", "51", "1e2", "2.5", "1e999", "-0", "1e-400", "99999999999999999999"])
    func optionsOutOfRange(field: String, number: String) {
        let parsed = Self.parse(#"{"image":"a","\#(field)":\#(number)}"#)
        #expect(parsed.failure?.code == .optionOutOfRange)
        #expect(parsed.failure?.message.contains(field) == true)
    }

    @Test func optionsWithinRange() {
        #expect(Self.parse(#"{"image":"a","beam":1,"candidates":10,"max_words":50}"#).failure == nil)
        #expect(Self.parse(#"{"image":"a","beam":3.0,"max_words":2e1}"#).request.maxWords == 20)
        var limits = RequestLimits()
        limits.maximumBeam = 2
        let message = Self.message(Array(#"{"image":"a","beam":3}"#.utf8))
        #expect(CaptionRequest.parse(message, limits: limits).failure?.code == .optionOutOfRange)
    }

    @Test func sizesAreBounded() {
        let longID = String(repeating: "é", count: 129)
        #expect(Self.parse(#"{"image":"a","id":"\#(longID)"}"#).failure?.code == .requestMalformed)
        #expect(Self.parse(#"{"image":"a","id":"\#(longID.dropLast())"}"#).failure == nil)
        #expect(Self.parse(#"{"image":"a","batch":"\#(longID)"}"#).failure?.code == .requestMalformed)
        for field in ["id", "batch"] {
            let longest = String(repeating: "x", count: 256)
            #expect(Self.parse(#"{"image":"a","\#(field)":"\#(longest)"}"#).failure == nil)
            #expect(Self.parse(#"{"image":"a","\#(field)":"\#(longest)x"}"#).failure?.code == .requestMalformed)
        }
        let metadata = "\"" + String(repeating: "m", count: (16 << 10) - 2) + "\""
        #expect(Self.parse(#"{"image":"a","metadata":\#(metadata)}"#).request.metadata?.count == 16 << 10)
        #expect(
            Self.parse(#"{"image":"a","metadata":\#(metadata.replacing("m\"", with: "mm\""))}"#).failure?.code
                == .requestTooLarge)
        let padding = String(repeating: " ", count: (64 << 10) - 13)
        #expect(Self.parse(#"{"image":"a"}"# + padding).failure == nil)
        #expect(Self.parse(#"{"image":"a"}"# + padding + " ").failure?.code == .requestTooLarge)
        let key = [UInt8](repeating: 1, count: (64 << 10) + 1)
        #expect(CaptionRequest.parse(Self.message([0x61], key: key.dropLast())).failure == nil)
        #expect(CaptionRequest.parse(Self.message([0x61], key: key)).failure?.code == .requestTooLarge)
    }

    @Test func headersAreBounded() {
        let fits = [KafkaHeader("k", [UInt8](repeating: 0, count: (32 << 10) - 1))]
        #expect(CaptionRequest.parse(Self.message([0x61], headers: fits)).failure == nil)
        let tooLarge = fits + [KafkaHeader("x", nil)]
        #expect(CaptionRequest.parse(Self.message([0x61], headers: tooLarge)).failure?.code == .headersTooLarge)
        // Empty ones cost nothing on the way, but memory here.
        let many = Self.message([0x61], headers: Array(repeating: KafkaHeader("", nil), count: 1025))
        #expect(CaptionRequest.parse(many).failure?.code == .headersTooLarge)
        #expect(many.byteCount >= 1025 * MemoryLayout<KafkaHeader>.stride)
        let most = Self.message([0x61], headers: Array(many.headers.dropLast()))
        #expect(CaptionRequest.parse(most).failure == nil)
        var unreadable = Self.message([0x61])
        unreadable.hasUnreadableHeaders = true
        #expect(CaptionRequest.parse(unreadable).failure?.code == .headersTooLarge)
    }

    @Test(arguments: [63, 64, 65, 10_000]) func metadataNesting(depth: Int) {
        let metadata = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let parsed = Self.parse(#"{"image":"a","metadata":\#(metadata)}"#)
        #expect(parsed.failure?.code == (depth <= 64 ? nil : .requestMalformed))
    }

    @Test(arguments: [("beam", 10), ("candidates", 10), ("max_words", 50)])
    func optionsAtTheirLimits(field: String, most: Int) {
        #expect(Self.parse(#"{"image":"a","\#(field)":\#(most)}"#).failure == nil)
        #expect(Self.parse(#"{"image":"a","\#(field)":\#(most + 1)}"#).failure?.code == .optionOutOfRange)
    }

    @Test(arguments: ["null", "0", "\"s\"", "{\"a\" : 1}", "[ 1 ]", "1.50e+01"])
    func metadataIsCutByteForByte(metadata: String) {
        let parsed = Self.parse("{\"image\":\"a\",\"metadata\":  \(metadata) ,\"batch\":\"b\"}")
        #expect(parsed.failure == nil)
        #expect(parsed.request.metadata == Array(metadata.utf8))
        #expect(parsed.request.batch == "b")
    }

    /// An error result can still name what was readable, wherever the fault stands.
    @Test func aFailureKeepsWhatIsKnown() {
        let parsed = Self.parse(#"{"beam":99,"id":"x","image":"a","batch":"n","metadata":[1]}"#)
        #expect(parsed.failure?.code == .optionOutOfRange)
        #expect(parsed.request.id == "x")
        #expect(parsed.request.metadata == Array("[1]".utf8))
        let cut = Self.parse(#"{"id":"x","image":"a","metadata":[1],"batch":"#)
        #expect(cut.failure?.code == .requestMalformed)
        #expect(cut.request.id == "x" && cut.request.image == "a" && cut.request.metadata == Array("[1]".utf8))
    }

    @Test func whatIsWrittenIsReadBack() {
        let full = CaptionRequest(
            id: "i\"\\\n\u{1}é😀", image: "ö.jpg", model: "m@2", beam: 2, candidates: 1, maxWords: 9,
            expiresAt: 1_769_860_800_001,
            batch: "b", metadata: Array(#"{"a":[1,2]}"#.utf8))
        for request in [full, CaptionRequest(id: "t:2:7", image: "a")] {
            #expect(CaptionRequest.parse(Self.message(request.encoded())) == ParsedRequest(request: request))
        }
    }

    /// Whatever the bytes, an answer comes, and one that is fit to be echoed.
    @Test func mutationsNeverCrash() {
        var generator = SeededGenerator(4)
        let seed = Array(
            #"{"image":"a/b.jpg","id":"x\u00e9","beam":3,"expires_at":"2026-01-31T12:00:00Z","metadata":{"k":[1,null,"s"]}}"#
                .utf8)
        for _ in 0..<20_000 {
            var value = seed
            for _ in 0..<Int.random(in: 1...6, using: &generator) {
                let place = Int.random(in: 0..<value.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: value[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: value.remove(at: place)
                case 2: value.insert(UInt8.random(in: 0...255, using: &generator), at: place)
                default: value = Array(value[..<max(1, place)])
                }
                if value.isEmpty { value = [0x7B] }
            }
            let parsed = CaptionRequest.parse(Self.message(value))
            if let metadata = parsed.request.metadata { #expect(JSONScannerTests.accepts(metadata)) }
            if parsed.failure == nil, value.first == 0x7B { #expect(JSONScannerTests.accepts(value, maximumDepth: 65)) }
        }
    }
}
