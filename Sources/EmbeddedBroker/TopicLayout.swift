import CommandLineOptions

/// A topic to make: `NAME:PARTITIONS`.
struct TopicLayout: Sendable, Equatable {
    var name: String
    var partitions: Int
}

extension ValueFormat where Value == TopicLayout {
    /// A topic's name as Kafka allows it (letters, digits, `.`, `_`, `-`; 1 to 249 characters), a colon, 1 to 1,000 partitions.
    static var topic: Self {
        ValueFormat { text throws(UsageError) in
            guard let colon = text.lastIndex(of: ":"), let partitions = Int(text[text.index(after: colon)...]) else {
                throw UsageError("'\(text)' is not NAME:PARTITIONS; give for example captions.requests:4")
            }
            let name = String(text[..<colon])
            let isValid = name.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
            guard isValid, (1...249).contains(name.utf8.count), name != ".", name != ".." else {
                throw UsageError(
                    "'\(name)' is no name for a topic; give letters, digits, '.', '_' and '-', at most 249")
            }
            guard (1...1000).contains(partitions) else {
                throw UsageError("\(partitions) is out of range; give 1 to 1000 partitions")
            }
            return TopicLayout(name: name, partitions: partitions)
        }
    }
}
