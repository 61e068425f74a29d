import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

@Suite("The worker, started as its user would", .serialized)
struct WorkerTests {
    private static let brokers = Trial.Broker.available

    /// Requests over all partitions, ids 0 to `count` − 1.
    private func enqueue(_ count: Int, in trial: Trial) throws {
        try trial.storage.write("a.jpg", JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224)))
        try trial.enqueue(
            (0..<count).map {
                Trial.Request(
                    #"{"id":"\#($0)","image":"a.jpg"}"#, partition: Int32($0 % Trial.partitions),
                    key: "k\($0 % Trial.partitions)")
            })
    }

    private func isInOrder(_ results: [CaptionResult]) -> Bool {
        Dictionary(grouping: results, by: \.source.partition).values.allSatisfy { results in
            let offsets = results.map(\.source.offset)
            return offsets == offsets.sorted()
        }
    }

    @Test(
        "ended in mid-run by SIGTERM, a second worker does the rest: nothing missing, nothing repeated",
        arguments: brokers)
    func gracefulStop(_ broker: Trial.Broker) throws {
        let trial = try Trial(broker)
        let first = try trial.startWorker(["--threads", "1", "--beam", "1"])
        try enqueue(1000, in: trial)
        let reader = try trial.reader(of: trial.resultsTopic)
        #expect(reader.read(within: .seconds(60)) { $0.count >= 40 })
        #expect(first.stop() == 0)
        let taken = try #require(first.logText.firstMatch(of: /stopped captioned=(\d+)/).flatMap { Int($0.output.1) })
        #expect(taken < 1000, "the first worker was done before it was stopped")

        let second = try trial.startWorker(["--beam", "1"])
        #expect(reader.read(within: .seconds(120)) { $0.count >= 1000 }, "\(second.logText)")
        #expect(second.stop() == 0)
        let results = try reader.results()
        #expect(Set(results.map(\.id)) == Set((0..<1000).map(String.init)))
        #expect(results.count == 1000)
        #expect(second.logText.contains("captioned=\(1000 - taken) "))
        #expect(isInOrder(results))
        #expect(results.allSatisfy { $0.failure == nil && $0.caption?.isEmpty == false })
    }

    @Test("killed in mid-run, a second worker does the rest: nothing missing, repeats recognisable", arguments: brokers)
    func kill(_ broker: Trial.Broker) throws {
        let trial = try Trial(broker)
        let first = try trial.startWorker(["--beam", "1"])
        try enqueue(600, in: trial)
        let reader = try trial.reader(of: trial.resultsTopic)
        #expect(reader.read(within: .seconds(60)) { $0.count >= 40 })
        _ = first.stop(SIGKILL)
        let second = try trial.startWorker(["--beam", "1"])
        let all = Set((0..<600).map(String.init))
        #expect(
            reader.read(within: .seconds(120)) { messages in
                messages.count >= 600 && Set(messages.compactMap { $0.text(ofHeader: "ce_id") }).count == 600
            }, "\(second.logText)")
        #expect(second.stop() == 0)
        #expect(Set(try reader.results().map(\.id)) == all)
    }

    @Test("results that are ready pass one that is retried only without order", arguments: ReleaseOrderChoice.allCases)
    func order(_ order: ReleaseOrderChoice) throws {
        let trial = try Trial(.embedded)
        try trial.storage.write("a.jpg", JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224)))
        let worker = try trial.startWorker(["--order", order.rawValue, "--retry-budget", "60s"])
        // One key, so that all results are in one partition, where their order can be read.
        try trial.enqueue([
            Trial.Request("late.jpg", key: "k"), Trial.Request("a.jpg", key: "k"),
            Trial.Request("a.jpg", partition: 1, key: "k"),
        ])
        let reader = try trial.reader(of: trial.resultsTopic)
        // The other partition is not held back by the retried request; its own is, unless nobody asks for order.
        let unhindered = order == .partition ? 1 : 2
        #expect(reader.read(within: .seconds(30)) { $0.count == unhindered }, "\(worker.logText)")
        #expect(try reader.results().contains { $0.source.partition == 1 })
        try bringLateImage(to: trial)
        #expect(reader.read(within: .seconds(30)) { $0.count == 3 }, "\(worker.logText)")
        let results = try reader.results().filter { $0.source.partition == 0 }
        #expect(results.map(\.source.offset) == (order == .partition ? [0, 1] : [1, 0]))
        #expect(worker.stop() == 0)
    }

    /// What `late.jpg` was missed for, complete at once.
    private func bringLateImage(to trial: Trial) throws {
        let picture = try JPEGFile().write(SampleScene.redCar.draw(width: 224, height: 224))
        let unfinished = try trial.storage.write("unfinished", picture)
        #expect(rename(unfinished.path, trial.storage.url.appendingPathComponent("late.jpg").path) == 0)
    }

    enum ReleaseOrderChoice: String, CaseIterable, Sendable { case partition, none }

    @Test("an image that comes while its request is retried is captioned")
    func lateUpload() throws {
        let trial = try Trial(.embedded)
        let worker = try trial.startWorker(["--retry-budget", "30s", "--log-level", "debug"])
        try trial.enqueue([Trial.Request("late.jpg")])
        #expect(eventually(within: .seconds(30)) { worker.logText.contains("will try again") }, "\(worker.logText)")
        try bringLateImage(to: trial)
        let reader = try trial.reader(of: trial.resultsTopic)
        #expect(reader.read(within: .seconds(30)) { $0.count == 1 }, "\(worker.logText)")
        let result = try #require(try reader.results().first)
        #expect(result.failure == nil)
        #expect(result.attempts > 1)
        #expect(worker.stop() == 0)
    }

    @Test("kcat alone enqueues and reads", .enabled(if: ChildProcess.installed("kcat") != nil), arguments: brokers)
    func kcat(_ broker: Trial.Broker) throws {
        let kcat = try #require(ChildProcess.installed("kcat"))
        let trial = try Trial(broker)
        try trial.storage.write("a.jpg", JPEGFile().write(SampleScene.dogOnGrass.draw()))
        let worker = try trial.startWorker()
        try ChildProcess.run(
            kcat, ["-P", "-b", trial.bootstrapServers, "-t", trial.requestsTopic], input: Data("a.jpg\n".utf8))
        let line = try ChildProcess.run(
            kcat,
            [
                "-C", "-q", "-b", trial.bootstrapServers, "-t", trial.resultsTopic, "-o", "beginning", "-c", "1",
                "-f", "%s\n",
            ])
        let result = try CaptionResult(decoding: Array(line.dropLast()))
        #expect(result.image == "a.jpg")
        #expect(result.caption?.isEmpty == false)
        #expect(worker.stop() == 0)
    }
}
