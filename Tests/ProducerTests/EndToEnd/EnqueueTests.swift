import Foundation
import TestSupport
import Testing

/// `kaption-enqueue` as its users run it, with kcat as the other side.
@Suite(.enabled(if: Kcat.isPresent, "kcat is not installed"))
struct EnqueueTests {
    let folder: TemporaryDirectory
    var storage: String { folder.url.appendingPathComponent("storage").path }

    init() throws {
        folder = try TemporaryDirectory()
        for number in 0..<25 { try folder.write("storage/\(number % 3)/\(number).jpg", Data("x".utf8)) }
    }

    private func start(_ broker: any TestBroker, _ arguments: String..., input: Data? = Data()) throws -> EnqueueProcess
    {
        try EnqueueProcess(
            ["--bootstrap-servers", broker.bootstrapServers, "--storage", storage, "--progress", "none"] + arguments,
            input: input)
    }

    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func summary(_ outcome: EnqueueProcess.Outcome) throws -> [String: Any] {
        let last = try object(try #require(outcome.lines.last, "\(outcome.errors)"))
        #expect(last["event"] as? String == "summary")
        #expect(last["exit_code"] as? Int == Int(outcome.status))
        return last
    }

    private func images(_ records: [Kcat.Record]) throws -> [String] {
        try records.map { try #require(try object($0.value)["image"] as? String) }
    }

    private var all: [String] { (0..<25).map { "\($0 % 3)/\($0).jpg" }.sorted() }

    @Test func eachImageBecomesOneRequest() throws {
        let broker = try EmbeddedTestBroker()
        let outcome = try start(
            broker, "--batch", "trial", "--beam", "5", "--metadata", #"{"a": [1,2]}"#, "--key", "path", storage
        ).wait()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(try summary(outcome)["delivered"] as? Int == 25)
        let records = try Kcat(broker).records(of: "captions.requests")
        #expect(try images(records).sorted() == all)
        var ids: Set<String> = []
        for record in records {
            let request = try object(record.value)
            #expect(record.key == request["image"] as? String)
            #expect(request["batch"] as? String == "trial")
            #expect(request["beam"] as? Int == 5)
            #expect(record.value.contains(#""metadata":{"a": [1,2]}"#))
            ids.insert(try #require(request["id"] as? String))
        }
        #expect(ids.count == 25)
    }

    @Test func aListOnStandardInputIsSentAsItComes() throws {
        let broker = try EmbeddedTestBroker()
        let program = try start(broker, "-", input: nil)
        program.write("0/0.jpg\n1/1")
        let kcat = Kcat(broker)
        #expect(try eventually { try kcat.records(of: "captions.requests").count == 1 })
        program.write(".jpg\nmissing.jpg\n")
        #expect(try eventually { try kcat.records(of: "captions.requests").count == 2 })
        // The list has no end yet; an interruption ends the wait for it.
        program.send(signal: SIGINT)
        let outcome = program.wait()
        #expect(outcome.status == 130)
        let summary = try summary(outcome)
        #expect(summary["delivered"] as? Int == 2)
        #expect(outcome.errors.contains("missing.jpg"))
        #expect(try images(kcat.records(of: "captions.requests")).sorted() == ["0/0.jpg", "1/1.jpg"])
    }

    @Test func whatWasRejectedMakesTheExitCodeOne() throws {
        let broker = try EmbeddedTestBroker()
        let outcome = try start(broker, "0/0.jpg", "/etc/hostname", "none*.jpg").wait()
        #expect(outcome.status == 1)
        let summary = try summary(outcome)
        #expect(summary["delivered"] as? Int == 1)
        #expect(summary["rejected"] as? Int == 2)
        #expect(outcome.errors.contains("/etc/hostname") && outcome.errors.contains("outside of the storage folder"))
    }

    @Test func aSecondStartLeavesOutWhatIsDone() throws {
        let broker = try EmbeddedTestBroker()
        let resume = folder.url.appendingPathComponent("resume").path
        let first = try start(broker, "--resume", resume, storage + "/1").wait()
        #expect(first.status == 0, "\(first.errors)")
        // Torn by a crash in the middle of the last line.
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: resume))
        try handle.truncate(atOffset: try handle.seekToEnd() - 3)
        let second = try start(broker, "--resume", resume, storage).wait()
        #expect(second.status == 0, "\(second.errors)")
        let summary = try summary(second)
        #expect(summary["skipped"] as? Int == 7)
        #expect(summary["delivered"] as? Int == 18)
        // All are there; only the one whose line was torn is there twice.
        let sent = try images(Kcat(broker).records(of: "captions.requests"))
        #expect(sent.count == 26)
        #expect(Set(sent) == Set(all))
    }

    @Test func killedInTheMiddleNothingIsLost() throws {
        let broker = try EmbeddedTestBroker()
        let resume = folder.url.appendingPathComponent("resume").path
        let program = try start(broker, "--resume", resume, "--rate", "10", storage)
        #expect(
            eventually {
                ((try? String(contentsOfFile: resume, encoding: .utf8)) ?? "").contains(".jpg\n")
            })
        program.send(signal: SIGKILL)
        #expect(program.wait().status == 128 + SIGKILL)
        let again = try start(broker, "--resume", resume, storage).wait()
        #expect(again.status == 0, "\(again.errors)")
        #expect(try #require(try summary(again)["skipped"] as? Int) > 0)
        #expect(Set(try images(Kcat(broker).records(of: "captions.requests"))) == Set(all))
    }

    @Test func kafkaOutOfReachIsThree() throws {
        let arguments = ["--storage", storage, "--timeout", "300ms", "--progress", "none", storage]
        let outcome = try EnqueueProcess.run(["--bootstrap-servers", "127.0.0.1:1"] + arguments)
        #expect(outcome.status == 3)
    }

    @Test(arguments: [
        (["-X", "acks=1"], "-X acks is refused"), (["-X", "sasl.password=x"], "KAPTION_SECRET_SASL_PASSWORD"),
        (["-X", "no.such.thing=x"], "no.such.thing"), (["--metadata", "{"], "--metadata: not JSON"),
        (["--rate", "0"], "--rate: 0 is out of range"), (["--storage", "/nowhere"], "--storage: '/nowhere'"),
        (["--candidates", "3", "--beam", "2"], "--candidates"), (["--model", "/models/m"], "--model (command line)"),
    ])
    func wrongUsageIsTwo(arguments: [String], reason: String) throws {
        let outcome = try EnqueueProcess.run(
            ["--bootstrap-servers", "127.0.0.1:1", "--storage", storage] + arguments + [storage])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains(reason), "\(outcome.errors)")
        #expect(outcome.errors.hasSuffix("Try 'kaption-enqueue --help'.\n"))
    }
}
