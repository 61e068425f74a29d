import CommandLineOptions
import Testing

@testable import EmbeddedBroker

@Suite struct TopicLayoutTests {
    @Test(arguments: [
        ("a:1", "a", 1), ("captions.requests:8", "captions.requests", 8), ("A-b_c.9:1000", "A-b_c.9", 1000),
    ])
    func reads(text: String, name: String, partitions: Int) throws {
        #expect(try ValueFormat.topic.parse(text) == TopicLayout(name: name, partitions: partitions))
    }

    @Test(arguments: [
        "", "a", "a:", ":4", "a:0", "a:1001", "a:-1", "a:x", "a b:1", "ä:1", "..:1", "a:b:1",
        String(repeating: "x", count: 250) + ":1",
    ])
    func refuses(text: String) {
        #expect(throws: UsageError.self) { try ValueFormat.topic.parse(text) }
    }
}
