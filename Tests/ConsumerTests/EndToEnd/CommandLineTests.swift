import Foundation
import TestSupport
import Testing

@Suite("The worker's command line and its exit codes", .serialized)
struct CommandLineTests {
    /// Runs the worker to its end; its exit code and what it wrote to standard error.
    private func run(_ options: [String]) throws -> (exitCode: Int32, errors: String) {
        let files = try TemporaryDirectory()
        let log = files.url.appendingPathComponent("errors")
        let process = try ChildProcess(ChildProcess.product("kaption-worker"), options, errors: log)
        let exitCode = process.wait()
        return (exitCode, try String(contentsOf: log, encoding: .utf8))
    }

    private let model = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path
    private let storage = FileManager.default.temporaryDirectory.path
    /// Nobody listens on the discard port.
    private let nobody = "127.0.0.1:9"

    private func options(storage: String? = nil, model: String? = nil) -> [String] {
        ["--bootstrap-servers", nobody, "--storage", storage ?? self.storage, "--model", model ?? self.model]
    }

    @Test("what is not there yet, and what the worker owns, is refused with 2 and the reason")
    func usage() throws {
        for (wrong, reason) in [
            (["--delivery", "exactly-once", "--order", "none"], "at-least-once only"),
            (["--precision", "int4"], "bf16"),
            (["--topics", "a,b=2", "--results-topic", "b"], "its own answers"),
            (["--topics", "a", "--dead-letters-topic", "a"], "its own answers"),
            (["--results-topic", "a", "--dead-letters-topic", "a"], "a topic each"),
            (["--topics", "a=0,b"], "a weight of 1 to 1000"), (["--window", "1"], "out of range"),
            (["-X", "group.id=x"], "use --group"),
            (["-X", "enable.auto.commit=true"], "only after its result"),
            (["-X", "no.such.property=1"], "no.such.property"),
            (["-X", "sasl.password=x"], "KAPTION_SECRET_SASL_PASSWORD"), (["--threads", "0"], "out of range"),
        ] {
            let (exitCode, errors) = try run(options() + wrong)
            #expect(exitCode == 2, "\(wrong)")
            #expect(errors.contains(reason), "\(wrong): \(errors)")
        }
    }

    @Test("exactly-once is refused on the in-memory broker, which has no real transactions")
    func mock() throws {
        let broker = try EmbeddedTestBroker()
        let (exitCode, errors) = try run([
            "--bootstrap-servers", broker.bootstrapServers, "--storage", storage, "--model", model,
            "--delivery", "exactly-once",
        ])
        #expect(exitCode == 3)
        #expect(errors.contains("needs Apache Kafka"), "\(errors)")
    }

    @Test("a storage folder that is not there ends with 1, a model that is not there with 4")
    func start() throws {
        let (noStorage, storageErrors) = try run(options(storage: "/nowhere/at/all"))
        #expect(noStorage == 1)
        #expect(storageErrors.contains("/nowhere/at/all"))
        let (noModel, modelErrors) = try run(options(model: "/nowhere/at/all"))
        #expect(noModel == 4)
        #expect(modelErrors.contains("/nowhere/at/all"))
    }

    @Test("while Kafka is away it waits and says so; a signal ends it with 0")
    func waiting() throws {
        let files = try TemporaryDirectory()
        let log = files.url.appendingPathComponent("errors")
        let process = try ChildProcess(ChildProcess.product("kaption-worker"), options(), errors: log)
        let isWaiting = eventually(within: .seconds(60)) {
            ((try? String(contentsOf: log, encoding: .utf8)) ?? "").contains("waiting for Kafka")
        }
        #expect(isWaiting)
        process.signal(SIGINT)
        #expect(process.wait() == 0)
    }
}
