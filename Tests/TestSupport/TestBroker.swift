import Foundation

/// A Kafka for tests: either this package's embedded broker, or a real one where the shared folder brings it.
public protocol TestBroker: Sendable {
    /// `HOST:PORT`.
    var bootstrapServers: String { get }
}

/// The embedded broker as a process of its own; it ends with this value.
public final class EmbeddedTestBroker: TestBroker {
    public let bootstrapServers: String
    private let process: ChildProcess

    /// - Parameter topics: `NAME:PARTITIONS`; none stands for the program's defaults.
    public init(topics: [String] = []) throws {
        process = try ChildProcess(ChildProcess.product("kaption-broker"), topics.flatMap { ["--topic", $0] })
        bootstrapServers = try process.line(after: "bootstrap.servers=")
    }

    /// Ends the broker as its user would; returns its exit code.
    @discardableResult
    public func stop() -> Int32 {
        process.signal(SIGTERM)
        return process.wait()
    }
}

/// Apache Kafka, one broker with a folder and a port of its own. Starting takes seconds and 350 MB, so tests share one:
/// they keep apart by topics and groups of their own.
public final class KafkaLocal: TestBroker {
    /// Whether there is one to start.
    public static let isPresent = FileManager.default.isExecutableFile(atPath: program.path)

    /// The one that all tests of a process share; it is wiped when the process ends.
    public static func shared() throws -> KafkaLocal { try sharedBroker.get() }

    public let bootstrapServers: String
    private let folder: TemporaryDirectory
    private let port: Int

    private static let program = SharedFiles.url("kafka/kafka-local")
    private static let sharedBroker: Result<KafkaLocal, any Error> = Result {
        // A transaction whose owner died is looked for every second, not every ten.
        let broker = try KafkaLocal(options: ["-o", "transaction.abort.timed.out.transaction.cleanup.interval.ms=1000"])
        atexit { try? KafkaLocal.sharedBroker.get().wipe() }
        return broker
    }

    /// Starts a broker for one test alone. It is wiped when this value goes.
    public init(options: [String] = []) throws {
        folder = try TemporaryDirectory()
        port = freePort()
        bootstrapServers = "127.0.0.1:\(port)"
        try run(["start"] + options)
    }

    deinit { try? wipe() }

    /// Runs a command of `kafka-local`, such as `["topics", "--list"]`; returns what it prints.
    @discardableResult
    public func run(_ arguments: [String]) throws -> String {
        let environment = ["KAFKA_LOCAL_DIR": folder.url.path, "KAFKA_LOCAL_PORT": String(port)]
        return String(decoding: try ChildProcess.run(Self.program, arguments, environment: environment), as: UTF8.self)
    }

    /// Stops the broker and deletes its data.
    public func wipe() throws { try run(["wipe"]) }
}

/// A port of 127.0.0.1 with nobody on it and those after it, below those that the system gives out by itself.
public func freePort(count: Int = 4) -> Int {
    while true {
        let port = Int.random(in: 20_000...31_000)
        if (port..<port + count).allSatisfy(isFree) { return port }
    }
}

private func isFree(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    return withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
        }
    }
}
