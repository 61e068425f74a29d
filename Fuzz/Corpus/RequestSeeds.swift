import Foundation

/// Records of the requests topic, as `Fuzz/Targets/Request.swift` takes them apart.
enum RequestSeeds {
    static var all: [Data] { values.map { Data($0.utf8) } + withHeaders + bytes.map { Data($0) } }

    private static let values = [
        "a/b.jpg\n", "", "{}", "\u{feff} {\"image\":\"a\"}", "[1]", "../x", "null", "-0.5e-10", "\"\\ud834\\udd1e\"",
        #"{"image":"a.jpg"}"#,
        #"{"id":"x-\u00e9","image":"a/b.jpg","model":"small@1","beam":5,"candidates":2,"max_words":12,"unknown":[1,{"a":2}],"#
            + #""expires_at":"2026-01-31T12:00:00.250Z","batch":"night","metadata":{"k" : [1, 2.50, "\u0041"]}}"#,
        #"{"image":"a","beam":3.0,"max_words":2e1,"candidates":1}"#,
        #"{"image":"a","metadata":[[[[{"a":[true,false,null,-1.5e+3,"\"\\\/\b\f\n\r\t"]}]]]]}"#,
        #"{"image":"a","metadata":null,"id":null,"beam":null,"batch":""}"#,
        #"{"image":"a","expires_at":"1999-12-31T23:59:60+05:30"}"#, #"{"image":"a","image":"b"}"#,
        #"{"image":"\u0000é€😀","id":"\uD83D\uDE00"}"#, #"{"image":"a"} "#,
        #"{"image":1,"id":[],"batch":{},"beam":"3"}"#,
    ]

    private static let withHeaders = [
        ["a.jpg", "key", "traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"],
        [#"{"image":"a","id":"i"}"#, "", "ce_id", "x", "Content-Type", "text/plain", "kaption-replay-of", "t:0:1"],
        [#"{"image":"a"}"#, "k", "empty", "", "", "no name", "last"],
    ].map { parts in Data(parts.map { Array($0.utf8) }.joined(separator: [0xFF])) }

    private static let bytes: [[UInt8]] = [
        [0, 0, 0, 0, 7, 0x7B, 0x7D], [0xC3, 0x28], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
        Array("{\"image\":\"".utf8) + [0xC3, 0x22, 0x7D],
    ]
}
