import Foundation

/// kcat, a Kafka client that is not ours, to look at topics from outside.
public struct Kcat {
    public struct Record: Equatable, Sendable {
        public var partition: Int
        public var offset: Int
        /// nil and empty look alike to kcat: both are the empty text here.
        public var key: String
        public var value: String
    }

    public static var isPresent: Bool { ChildProcess.installed("kcat") != nil }

    public let bootstrapServers: String

    public init(_ broker: any TestBroker) { bootstrapServers = broker.bootstrapServers }

    /// All that is on a topic now; keys and values must hold no control characters.
    public func records(of topic: String) throws -> [Record] {
        let output = try run([
            "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-u", "-f", "%p\u{1}%o\u{1}%k\u{1}%s\\n",
        ])
        return output.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: "\u{1}", omittingEmptySubsequences: false).map(String.init)
            guard fields.count == 4, let partition = Int(fields[0]), let offset = Int(fields[1]) else { return nil }
            return Record(partition: partition, offset: offset, key: fields[2], value: fields[3])
        }
    }

    /// Produces one record a line.
    public func produce(_ values: [String], topic: String) throws {
        _ = try run(["-P", "-t", topic], input: Data((values.joined(separator: "\n") + "\n").utf8))
    }

    private func run(_ arguments: [String], input: Data = Data()) throws -> String {
        guard let program = ChildProcess.installed("kcat") else {
            throw ChildProcess.Failure(description: "kcat is not installed")
        }
        let output = try ChildProcess.run(program, ["-b", bootstrapServers] + arguments, input: input)
        return String(decoding: output, as: UTF8.self)
    }
}
