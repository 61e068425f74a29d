import Foundation
import TestSupport
import Testing

/// `kaption-enqueue --wait`, with kcat in the place of a worker.
@Suite(.enabled(if: Kcat.isPresent, "kcat is not installed"))
struct WaitTests {
    let folder: TemporaryDirectory
    private static let requests = "captions.requests"
    private static let results = "captions.results"

    init() throws {
        folder = try TemporaryDirectory()
        for name in ["a", "b", "c"] { try folder.write("\(name).jpg", Data("x".utf8)) }
    }

    private func start(_ broker: any TestBroker, _ arguments: String...) throws -> EnqueueProcess {
        let fixed = [
            "--bootstrap-servers", broker.bootstrapServers, "--storage", folder.url.path, "--progress", "none",
        ]
        return try EnqueueProcess(fixed + ["--wait"] + arguments + [folder.url.path])
    }

    /// The ids by image, once the requests are on the topic.
    private func requestIDs(
        _ broker: any TestBroker, _ program: EnqueueProcess, topic: String = requests
    ) throws -> [String: String] {
        var records: [Kcat.Record] = []
        _ = try eventually {
            records = try Kcat(broker).records(of: topic)
            return records.count == 3 || !program.isRunning
        }
        var ids: [String: String] = [:]
        for record in records {
            let request = try JSONSerialization.jsonObject(with: Data(record.value.utf8)) as? [String: Any]
            ids[try #require(request?["image"] as? String)] = try #require(request?["id"] as? String)
        }
        try #require(ids.count == 3, "\(program.errors)")
        return ids
    }

    private func ok(_ id: String?, _ image: String, _ caption: String) -> String {
        #"{"id":"\#(id ?? "")","image":"\#(image)","status":"ok","caption":"\#(caption)"}"#
    }

    private func summary(_ outcome: EnqueueProcess.Outcome) throws -> [String: Int] {
        let last = try #require(outcome.lines.last, "\(outcome.errors)")
        let object = try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any]
        return try #require(object?["results"] as? [String: Int])
    }

    private func allAnswered(_ broker: any TestBroker, requests: String, results topic: String) throws {
        // Results of before must not be taken for answers.
        try Kcat(broker).produce([ok("old-0", "a.jpg", "old")], topic: topic)
        let program = try start(
            broker, "--output", "json", "--topic", requests, "--results-topic", topic)
        let ids = try requestIDs(broker, program, topic: requests)
        let a = ok(ids["a.jpg"], "a.jpg", "a dog runs")
        let results = [
            "no JSON", ok("other-0", "x.jpg", "others'"), a, a, ok(ids["b.jpg"], "b.jpg", "a cat"), a,
            ok(ids["c.jpg"], "c.jpg", "a bird"),
        ]
        try Kcat(broker).produce(results, topic: topic)
        let outcome = program.wait()
        #expect(outcome.status == 0, "\(outcome.errors)")
        #expect(outcome.lines.dropLast().sorted() == [results[2], results[4], results[6]].sorted())
        #expect(try summary(outcome) == ["ok": 3, "error": 0, "missing": 0])
    }

    @Test func allAnsweredIsZero() throws {
        try allAnswered(EmbeddedTestBroker(), requests: Self.requests, results: Self.results)
    }

    @Test(.enabled(if: KafkaLocal.isPresent, "no Apache Kafka here"))
    func allAnsweredIsZeroWithApacheKafka() throws {
        let broker = try KafkaLocal.shared()
        let name = "enqueue-\(UUID().uuidString)"
        for topic in [name, name + ".results"] {
            try broker.run(["topics", "--create", "--topic", topic, "--partitions", "4"])
        }
        try allAnswered(broker, requests: name, results: name + ".results")
    }

    @Test func anErrorIsOneAndStandsInTheTable() throws {
        let broker = try EmbeddedTestBroker()
        let program = try start(broker, "--output", "table")
        let ids = try requestIDs(broker, program)
        let failed =
            #"{"id":"\#(ids["b.jpg"] ?? "")","image":"b.jpg","status":"error","#
            + #""error":{"code":"image_corrupt","message":"cut short"}}"#
        let results = [ok(ids["a.jpg"], "a.jpg", "a dog"), failed, ok(ids["c.jpg"], "c.jpg", "a bird")]
        try Kcat(broker).produce(results, topic: Self.results)
        let outcome = program.wait()
        #expect(outcome.status == 1)
        #expect(outcome.lines.first?.hasPrefix("IMAGE ") == true)
        #expect(outcome.lines.contains { $0.hasPrefix("a.jpg ") && $0.hasSuffix(" a dog") })
        #expect(outcome.lines.contains { $0.hasPrefix("b.jpg ") && $0.hasSuffix(" error image_corrupt: cut short") })
        #expect(outcome.lines.last?.hasPrefix("3 enqueued, 3 delivered, 2 captioned, 1 errors in ") == true)
    }

    @Test func whatIsNotAnsweredIsOne() throws {
        let broker = try EmbeddedTestBroker()
        let program = try start(broker, "--output", "json", "--wait-timeout", "500ms")
        let outcome = program.wait()
        #expect(outcome.status == 1)
        #expect(try summary(outcome) == ["ok": 0, "error": 0, "missing": 3])
    }

    @Test func anInterruptionEndsTheWait() throws {
        let broker = try EmbeddedTestBroker()
        let program = try start(broker, "--output", "json")
        _ = try requestIDs(broker, program)
        program.send(signal: SIGTERM)
        let outcome = program.wait()
        #expect(outcome.status == 143)
        #expect(try summary(outcome)["missing"] == 3)
    }
}
