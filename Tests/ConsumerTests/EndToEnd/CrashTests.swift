import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

@Suite("An image that ends its worker does not do so for ever", .serialized)
struct CrashTests {
    private let state: TemporaryDirectory

    init() throws { state = try TemporaryDirectory() }

    private func trial(_ broker: Trial.Broker = .embedded) throws -> Trial {
        let trial = try Trial(broker)
        let picture = try JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224))
        try trial.storage.write("a.jpg", picture)
        try trial.storage.write("poison.jpg", picture)
        return trial
    }

    /// Enqueues one poisonous request among others, and starts workers as a supervisor would until one stays. The answers, and
    /// how the workers ended.
    private func startUntilAnswered(_ hook: String, _ options: [String], in trial: Trial) throws -> (
        results: [CaptionResult], ends: [Int32]
    ) {
        let results = try trial.reader(of: trial.resultsTopic)
        let deadLetters = try trial.reader(of: trial.deadLettersTopic)
        try trial.enqueue(
            (0..<60).map { number in
                Trial.Request(
                    #"{"id":"\#(number)","image":"\#(number == 21 ? "poison" : "a").jpg"}"#,
                    partition: Int32(number % Trial.partitions), key: "\(number)")
            })
        var ends: [Int32] = []
        for _ in 0..<2 {
            let worker = try startWorker(hook, options, in: trial)
            ends.append(worker.process.wait())
            #expect(try leftBehind() == 1)
        }
        let third = try startWorker(hook, options, in: trial)
        #expect(deadLetters.read(within: .seconds(60)) { $0.count == 1 }, "\(third.logText)")
        #expect(
            results.read(within: .seconds(60)) { messages in
                Set(messages.compactMap { $0.text(ofHeader: "ce_id") }).count == 60
            }, "\(third.logText)")
        ends.append(third.stop())
        #expect(try leftBehind() == 0)
        #expect(
            deadLetters.messages.first?.value.map { String(decoding: $0, as: UTF8.self) }?.contains("poison") == true)
        return (try results.results(), ends)
    }

    private func startWorker(_ hook: String, _ options: [String], in trial: Trial) throws -> Trial.Worker {
        try trial.startWorker(
            ["--state-dir", state.url.path, "--threads", "2"] + options, hooks: hook)
    }

    /// Journals of dead workers.
    private func leftBehind() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: state.url.path).count { $0.hasSuffix(".journal") }
    }

    private func check(_ results: [CaptionResult], _ code: ErrorCode) {
        for result in results {
            #expect(result.failure?.code == (result.id == "21" ? code : nil), "\(result.id)")
        }
        #expect(Set(results.map(\.id)) == Set((0..<60).map(String.init)))
    }

    @Test("one that aborts the process has its dead letter by the third start, and its neighbours their captions")
    func abort() throws {
        let (results, ends) = try startUntilAnswered("abort-on=poison", [], in: trial())
        #expect(ends == [128 + SIGABRT, 128 + SIGABRT, 0])
        check(results, .workerCrashed)
    }

    @Test(
        "the same exactly once: no answer comes twice, the dead letter neither",
        .enabled(if: KafkaLocal.isPresent, "needs a real Kafka, in the folder shared/ beside this one"))
    func abortExactlyOnce() throws {
        let (results, ends) = try startUntilAnswered(
            "abort-on=poison", ["--delivery", "exactly-once"], in: trial(.apacheKafka))
        #expect(ends == [128 + SIGABRT, 128 + SIGABRT, 0])
        check(results, .workerCrashed)
        #expect(results.count == 60)
    }

    @Test("one that a thread never returns from ends the worker, and the third start answers image_timeout")
    func hang() throws {
        let (results, ends) = try startUntilAnswered("hang-on=poison", ["--image-timeout", "500ms"], in: trial())
        #expect(ends == [1, 1, 0])
        check(results, .imageTimeout)
    }

    @Test("one that takes too long to decode is answered image_timeout, and the worker goes on")
    func slow() throws {
        // A small file of 64 million pixels, in seven passes over all of them.
        let trial = try trial()
        let side = 8000
        let slow = try PNGFile(colour: .grey, bits: 1, isInterlaced: true)
            .write([UInt8](repeating: 0x5A, count: side / 8 * side), width: side, height: side)
        try trial.storage.write("slow.png", slow)
        let worker = try trial.startWorker(["--image-timeout", "100ms"])
        let results = try trial.reader(of: trial.resultsTopic)
        try trial.enqueue([Trial.Request("slow.png", key: "k"), Trial.Request("a.jpg", key: "k")])
        #expect(results.read(within: .seconds(60)) { $0.count == 2 }, "\(worker.logText)")
        #expect(try results.results().map(\.failure?.code) == [.imageTimeout, nil])
        #expect(worker.stop() == 0)
    }
}
