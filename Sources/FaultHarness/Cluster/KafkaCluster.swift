import Foundation
import TestSupport

/// One to three Kafka brokers of this run alone, by a program that starts and stops them (`kafka-local`): see
/// docs/chaos.md for what it must understand.
struct KafkaCluster: Sendable {
    let program: URL
    /// Data and logs of the brokers.
    let folder: URL
    let brokers: Int
    private let port: Int

    /// Brokers listen on ports ten apart.
    var bootstrapServers: String {
        (0..<brokers).map { "127.0.0.1:\(port + 10 * $0)" }.joined(separator: ",")
    }

    init(program: URL, folder: URL, brokers: Int) {
        self.program = program
        self.folder = folder
        self.brokers = brokers
        port = freePort(count: 10 * brokers)
    }

    /// - Parameter settings: of the brokers, `key=value`.
    func start(settings: [String]) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try run(["start", "--brokers", String(brokers)] + settings.flatMap { ["-o", $0] })
    }

    func restart(_ broker: Int) throws { try run(["restart", String(broker)]) }
    func kill(_ broker: Int) throws { try run(["stop", String(broker), "--kill"]) }
    func pause(_ broker: Int) throws { try run(["pause", String(broker)]) }
    func resume(_ broker: Int) throws { try run(["resume", String(broker)]) }

    func electPreferredLeaders() throws {
        try run(["elect-leaders", "--election-type", "preferred", "--all-topic-partitions"])
    }

    /// Stops the brokers and deletes their data.
    func wipe() throws { try run(["wipe"]) }

    /// Stops the brokers and deletes what they stored, but not their logs.
    func stopKeepingLogs() throws {
        try run(["stop", "--kill"])
        for broker in 1...brokers {
            try? FileManager.default.removeItem(at: folder.appendingPathComponent("broker-\(broker)"))
        }
    }

    private func run(_ arguments: [String]) throws {
        let environment = ["KAFKA_LOCAL_DIR": folder.path, "KAFKA_LOCAL_PORT": String(port)]
        try ChildProcess.run(program, arguments, environment: environment)
    }
}
