import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

/// How the worker delivers.
enum Delivery: String, CaseIterable, Sendable {
    case atLeastOnce = "at-least-once"
    case exactlyOnce = "exactly-once"
}

@Suite(
    "Delivery on Apache Kafka", .serialized,
    .enabled(if: KafkaLocal.isPresent, "needs a real Kafka, in the folder shared/ beside this one"))
struct DeliveryTests {
    /// Requests over all partitions, ids 0 to `count` − 1, or the `count` from `first` on.
    private func enqueue(_ count: Int, from first: Int = 0, in trial: Trial, metadata: String = "{}") throws {
        try trial.storage.write("a.jpg", JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224)))
        try trial.enqueue(
            (first..<first + count).map {
                Trial.Request(
                    #"{"id":"\#($0)","image":"a.jpg","metadata":\#(metadata)}"#,
                    partition: Int32($0 % Trial.partitions), key: "k\($0 % Trial.partitions)")
            })
    }

    /// Waits for an answer to each, then for the end of what is there: each once, each partition's in order.
    private func checkAnswers(_ count: Int, in reader: Trial.Reader, _ context: @autoclosure () -> String) throws {
        let isThere = reader.read(within: .seconds(120)) { messages in
            messages.count >= count && Set(messages.compactMap { $0.text(ofHeader: "ce_id") }).count == count
        }
        #expect(isThere, "\(reader.messages.count) messages of \(count)\n\(context())")
        let results = try reader.results()
        #expect(Set(results.map(\.id)) == Set((0..<count).map(String.init)))
        #expect(results.count == count)
        for results in Dictionary(grouping: results, by: \.source.partition).values {
            let offsets = results.map(\.source.offset)
            #expect(offsets == offsets.sorted())
        }
    }

    @Test("exactly once: workers killed, joining and leaving under load, and each answer is there once")
    func membersComeAndGo() throws {
        let trial = try Trial(.apacheKafka)
        let options = ["--delivery", "exactly-once", "--beam", "1", "--threads", "1"]
        let first = try trial.startWorker(options)
        try enqueue(1500, in: trial)
        let reader = try trial.reader(of: trial.resultsTopic)
        #expect(reader.read(within: .seconds(60)) { $0.count >= 100 })
        let second = try trial.startWorker(options, sharing: true)
        let before = reader.messages.count
        #expect(reader.read(within: .seconds(60)) { $0.count >= before + 100 })
        _ = first.stop(SIGKILL)
        let third = try trial.startWorker(options, sharing: true)
        #expect(reader.read(within: .seconds(90)) { $0.count >= before + 300 })
        #expect(second.stop() == 0, "\(second.logText)")
        try checkAnswers(1500, in: reader, third.logText)
        #expect(third.stop() == 0)
    }

    @Test("exactly once: a producer that another fenced is made anew, and what was out is not sent again")
    func fenced() throws {
        let trial = try Trial(.apacheKafka)
        let worker = try trial.startWorker(["--delivery", "exactly-once", "--beam", "1", "--instance-id", "one"])
        try enqueue(300, in: trial)
        let reader = try trial.reader(of: trial.resultsTopic)
        // Between two transactions: from one in mid-work Kafka makes the rival ask again until it is aborted, and by then the
        // worker's next producer may have fenced the rival, and so on.
        #expect(reader.read(within: .seconds(60)) { $0.count == 300 }, "\(worker.logText)")
        let rival = try KafkaProducer(
            KafkaConfiguration(bootstrapServers: trial.bootstrapServers),
            properties: ["transactional.id": "kaption-\(trial.group)-one"], onDelivery: { _ in })
        try rival.initializeTransactions(timeout: .seconds(20))
        rival.close(deadline: .seconds(1))
        try enqueue(300, from: 300, in: trial)
        try checkAnswers(600, in: reader, worker.logText)
        #expect(worker.stop() == 0)
        #expect(worker.logText.contains("is made anew"))
        #expect(worker.logText.contains("producers_renewed=1"), "\(worker.logText)")
    }

    @Test("a producer that fails for good is made anew, and nothing is lost or repeated", arguments: Delivery.allCases)
    func producerFails(_ delivery: Delivery) throws {
        let trial = try Trial(.apacheKafka)
        let worker = try trial.startWorker(
            ["--delivery", delivery.rawValue, "--beam", "1"], hooks: "fail-producer-after=50")
        try enqueue(300, in: trial)
        let reader = try trial.reader(of: trial.resultsTopic)
        let isThere = reader.read(within: .seconds(120)) { messages in
            Set(messages.compactMap { $0.text(ofHeader: "ce_id") }).count == 300
        }
        #expect(isThere, "\(reader.messages.count)\n\(worker.logText)")
        #expect(worker.stop() == 0)
        #expect(worker.logText.contains("producers_renewed=1"), "\(worker.logText)")
        // What was on its way when the producer failed may be there twice, recognisably, if it is at least once.
        if delivery == .exactlyOnce { #expect(reader.messages.count == 300) }
    }

    @Test("an answer too large for its topic goes without what makes it large", arguments: Delivery.allCases)
    func tooLarge(_ delivery: Delivery) throws {
        let trial = try Trial(.apacheKafka, resultBytes: 4096)
        let worker = try trial.startWorker(["--delivery", delivery.rawValue, "--beam", "1"])
        try enqueue(8, in: trial, metadata: "\"" + String(repeating: "x", count: 12_000) + "\"")
        let reader = try trial.reader(of: trial.resultsTopic)
        try checkAnswers(8, in: reader, worker.logText)
        #expect(try reader.results().allSatisfy { $0.metadata == nil && $0.caption?.isEmpty == false })
        #expect(worker.logText.contains("max.message.bytes"))
        #expect(worker.stop() == 0)
    }
}
