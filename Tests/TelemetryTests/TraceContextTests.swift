import Telemetry
import Testing

struct TraceContextTests {
    private static let trace = "0af7651916cd43dd8448eb211c80319c"
    private static let parent = "b7ad6b7169203331"

    @Test(arguments: [
        ("00-\(trace)-\(parent)-01", true), ("00-\(trace)-\(parent)-00", false), ("00-\(trace)-\(parent)-03", true),
        ("cc-\(trace)-\(parent)-01-what-the-future-will-be-like", true), ("cc-\(trace)-\(parent)-0b", true),
    ])
    func reads(header: String, sampled: Bool) throws {
        let context = try #require(TraceContext(traceparent: header.utf8))
        #expect(context.traceID == Self.trace)
        #expect(context.parentID == Self.parent)
        #expect(context.isSampled == sampled)
    }

    @Test(arguments: [
        "", "00", "00-\(trace)-\(parent)-01-x", "00-\(trace)-\(parent)-01x", "cc-\(trace)-\(parent)-01.x",
        "ff-\(trace)-\(parent)-01", "0G-\(trace)-\(parent)-01", "00-\(trace.uppercased())-\(parent)-01",
        "00-00000000000000000000000000000000-\(parent)-01", "00-\(trace)-0000000000000000-01",
        "00_\(trace)-\(parent)-01",
        "00-\(trace)-\(parent)-0x",
    ])
    func refuses(header: String) { #expect(TraceContext(traceparent: header.utf8) == nil) }
}
