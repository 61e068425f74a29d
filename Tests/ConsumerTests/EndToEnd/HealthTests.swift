import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

@Suite("The worker's health port", .serialized)
struct HealthTests {
    /// What `/readyz` answers.
    private struct Readiness: Decodable {
        struct Unmet: Decodable {
            let condition: String
            let reason: String
        }
        let status: String
        let unmet: [Unmet]
    }

    /// What `/healthz` answers.
    private struct Health: Decodable {
        struct Stall: Decodable { let topic: String }
        let status: String
        let stalled: [Stall]
    }

    /// Asks a worker's health port by its log.
    private struct Port {
        let log: URL
        let port: Int

        init(_ log: URL) throws {
            self.log = log
            var port: Int?
            let isListening = eventually {
                let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                port = text.firstMatch(of: /health port http="?127\.0\.0\.1:(\d+)/).flatMap { Int($0.output.1) }
                return port != nil
            }
            #expect(isListening)
            self.port = try #require(port)
        }

        func get(_ path: String) throws -> RawClient.Reply { try RawClient(port: port).get(path) }

        func unmet() throws -> [String] {
            let reply = try get("/readyz")
            let readiness = try JSONDecoder().decode(Readiness.self, from: Data(reply.body))
            #expect((reply.status == 200) == readiness.unmet.isEmpty && (reply.status == 200 || reply.status == 503))
            return readiness.unmet.map(\.condition)
        }

        func isHealthy() throws -> Bool {
            let reply = try get("/healthz")
            let health = try JSONDecoder().decode(Health.self, from: Data(reply.body))
            #expect((reply.status == 200) == (health.status == "live"), "\(reply.text)")
            return reply.status == 200
        }
    }

    private static let options = ["--http", "127.0.0.1:0", "--beam", "1"]

    private func enqueue(_ count: Int, in trial: Trial) throws {
        try trial.storage.write("a.jpg", JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224)))
        try trial.enqueue(
            (0..<count).map { Trial.Request("a.jpg", partition: Int32($0 % Trial.partitions), key: "\($0)") })
    }

    @Test("a worker that waits for Kafka is live and not ready, and says why")
    func waiting() throws {
        let files = try TemporaryDirectory()
        let log = files.url.appendingPathComponent("errors")
        let process = try ChildProcess(
            ChildProcess.product("kaption-worker"),
            [
                "--bootstrap-servers", "127.0.0.1:9", "--storage", files.url.path,
                "--model", SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path,
            ] + Self.options, errors: log)
        let port = try Port(log)
        #expect(eventually { (try? port.get("/readyz").text.contains("_TRANSPORT")) == true })
        #expect(try port.unmet() == ["model_warm", "group_joined", "kafka"])
        #expect(try port.isHealthy())
        let metrics = try port.get("/metrics").text
        #expect(metrics.contains("\nkaption_ready 0\n"))
        #expect(metrics.contains("\nkaption_condition_met{condition=\"kafka\"} 0\n"))
        #expect(try port.get("/").status == 404)
        process.signal(SIGTERM)
        #expect(process.wait() == 0)
    }

    @Test("a port that is taken ends the worker with 1 and the reason")
    func taken() throws {
        let files = try TemporaryDirectory()
        let taken = try EmbeddedTestBroker()
        let log = files.url.appendingPathComponent("errors")
        let process = try ChildProcess(
            ChildProcess.product("kaption-worker"),
            [
                "--bootstrap-servers", taken.bootstrapServers, "--storage", files.url.path,
                "--model", files.url.path, "--http", taken.bootstrapServers,
            ], errors: log)
        #expect(process.wait() == 1)
        #expect(try String(contentsOf: log, encoding: .utf8).contains("Address already in use"))
    }

    @Test(
        "the metrics are Prometheus text, and their numbers are what was sent",
        .enabled(if: SharedFiles.isPresent, "the folder shared/ is not beside this one"))
    func metrics() throws {
        let trial = try Trial(.embedded)
        let worker = try trial.startWorker(Self.options + ["--retry-budget", "200ms"])
        let port = try Port(worker.log)
        #expect(eventually { (try? port.unmet()) == [] }, "\(worker.logText)")
        try enqueue(20, in: trial)
        try trial.storage.write("text.jpg", Data("no picture".utf8))
        try trial.enqueue([
            Trial.Request("text.jpg"), Trial.Request("text.jpg", partition: 1), Trial.Request("missing.jpg"),
        ])
        let results = try trial.reader(of: trial.resultsTopic)
        #expect(results.read(within: .seconds(60)) { $0.count == 23 }, "\(worker.logText)")
        #expect(eventually { (try? port.get("/metrics").text.contains("\nkaption_window_requests 0\n")) == true })

        let reply = try port.get("/metrics")
        #expect(reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8")
        let families = try PrometheusFamily.parse(reply.text)
        func value(_ family: String, _ name: String, _ labels: [String: String] = [:]) -> Double? {
            families[family]?.value(name, labels)
        }
        #expect(value("kaption_requests_taken", "kaption_requests_taken_total") == 23)
        func answers(_ status: String, _ code: String) -> Double? {
            value("kaption_answers", "kaption_answers_total", ["status": status, "code": code])
        }
        #expect(answers("ok", "") == 20)
        #expect(answers("error", "image_unsupported") == 2 && answers("error", "image_not_found") == 1)
        #expect(answers("error", "internal") == 0)
        #expect(try #require(value("kaption_retries", "kaption_retries_total")) >= 1)
        #expect(value("kaption_window_bytes", "kaption_window_bytes") == 0)
        #expect(value("kaption_partitions_assigned", "kaption_partitions_assigned") == Double(Trial.partitions))
        #expect(value("kaption_rebalances", "kaption_rebalances_total", ["event": "assigned"]) == 1)
        #expect(value("kaption_ready", "kaption_ready") == 1)
        for condition in ["model_warm", "group_joined", "storage", "breaker", "kafka"] {
            #expect(value("kaption_condition_met", "kaption_condition_met", ["condition": condition]) == 1)
        }
        for stage in ["queue", "fetch", "decode", "encode", "caption"] {
            #expect(value("kaption_stage_seconds", "kaption_stage_seconds_count", ["stage": stage]) == 20)
        }
        #expect(value("kaption_stage_seconds", "kaption_stage_seconds_count", ["stage": "total"]) == 23)
        let encode = try #require(value("kaption_stage_seconds", "kaption_stage_seconds_sum", ["stage": "encode"]))
        #expect(encode > 0 && encode < 60)
        #expect(families["kaption_model_info"]?.samples.first?.labels["name"] == "kaption-small")
        #expect(families.values.allSatisfy { !$0.help.isEmpty && $0.type != "unknown" })
        #expect(worker.stop() == 0)
    }

    @Test("while the poll thread stands still the process lives, /healthz says so, and both end")
    func watchdog() throws {
        let trial = try Trial(.embedded)
        let gate = try TemporaryDirectory()
        let stall = gate.url.appendingPathComponent("stall")
        let worker = try trial.startWorker(
            Self.options + ["--watermark-timeout", "4s", "--retry-budget", "0s"],
            hooks: "stall-poll-while=\(stall.path)")
        let port = try Port(worker.log)
        #expect(eventually { (try? port.unmet()) == [] }, "\(worker.logText)")
        try enqueue(1200, in: trial)
        let results = try trial.reader(of: trial.resultsTopic)
        #expect(results.read(within: .seconds(60)) { $0.count >= 20 }, "\(worker.logText)")
        #expect(try port.isHealthy())
        try gate.write("stall", Data())
        #expect(eventually { (try? port.isHealthy()) == false }, "\(worker.logText)")
        let reply = try port.get("/healthz")
        let health = try JSONDecoder().decode(Health.self, from: Data(reply.body))
        #expect(health.status == "stalled" && health.stalled.contains { $0.topic == trial.requestsTopic })
        #expect(try port.get("/metrics").text.contains("\nkaption_watermark_stalled_seconds{"))
        #expect(worker.logText.contains("commit watermark stands still"))
        try FileManager.default.removeItem(at: stall)
        // Nothing was lost or restarted for it.
        #expect(results.read(within: .seconds(60)) { $0.count == 1200 }, "\(worker.logText)")
        #expect(eventually { (try? port.isHealthy()) == true }, "\(worker.logText)")
        #expect(worker.logText.contains("stands still no more"))
        #expect(worker.stop() == 0)
        #expect(worker.logText.contains("captioned=1200 "))
    }

    @Test(
        "a broker that goes, hangs and comes back is seen, told once each way, and the work goes on",
        .enabled(if: KafkaLocal.isPresent, "there is no Kafka to start"))
    func outage() throws {
        let kafka = try KafkaLocal()
        let trial = try Trial(.apacheKafka, on: kafka)
        let worker = try trial.startWorker(Self.options + ["--watermark-timeout", "4s", "--retry-budget", "0s"])
        let port = try Port(worker.log)
        #expect(eventually { (try? port.unmet()) == [] }, "\(worker.logText)")
        let results = try trial.reader(of: trial.resultsTopic)
        var expected = 0
        for (leave, comeBack) in [(["stop", "--kill"], ["start"]), (["pause", "1"], ["resume", "1"])] {
            try enqueue(400, in: trial)
            expected += 400
            #expect(results.read(within: .seconds(60)) { $0.count >= expected - 380 }, "\(worker.logText)")
            try kafka.run(leave)
            #expect(eventually(within: .seconds(60)) { (try? port.unmet().contains("kafka")) == true }, "\(leave)")
            // It has work, knows what that waits for, and calls nothing stalled however long it lasts.
            #expect(eventually { (try? port.isHealthy()) == true })
            #expect(!eventually(within: .seconds(6)) { (try? port.isHealthy()) == false }, "\(worker.logText)")
            try kafka.run(comeBack)
            #expect(eventually(within: .seconds(60)) { (try? port.unmet()) == [] }, "\(worker.logText)")
            #expect(
                results.read(within: .seconds(120)) { messages in
                    Set(messages.compactMap { $0.text(ofHeader: "ce_id") }).count == expected
                }, "\(worker.logText)")
        }
        let lines = worker.logText.split(separator: "\n")
        #expect(lines.filter { $0.contains("kafka: not ready") }.count == 2)
        #expect(lines.filter { $0.contains("kafka: holds again") }.count == 2)
        let metrics = try port.get("/metrics").text
        #expect(metrics.contains("\nkaption_condition_losses_total{condition=\"kafka\"} 2\n"))
        #expect(worker.stop() == 0)
    }
}
