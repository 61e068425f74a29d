import Foundation
import Messaging
import PictureDrawing
import Testing

@Suite("Live before bulk", .serialized)
struct PriorityTests {
    private static let brokers = Trial.Broker.available
    /// Several times what the window holds.
    private static let bulk = 1000

    private func requests(_ name: String, _ count: Int) -> [Trial.Request] {
        (0..<count).map {
            Trial.Request(#"{"id":"\#(name)-\#($0)","image":"a.jpg"}"#, partition: Int32($0 % Trial.partitions))
        }
    }

    /// The results' ids in the order in which they were produced.
    private func order(_ messages: [KafkaMessage]) throws -> [String] {
        try messages.enumerated().sorted { ($0.element.timestamp, $0.offset) < ($1.element.timestamp, $1.offset) }
            .map { try CaptionResult(decoding: $0.element.value ?? []).id }
    }

    private func trial(_ broker: Trial.Broker) throws -> (trial: Trial, live: String) {
        let trial = try Trial(broker)
        try trial.storage.write("a.jpg", JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224)))
        let live = trial.requestsTopic + ".live"
        _ = try KafkaAdmin(KafkaConfiguration(bootstrapServers: trial.bootstrapServers)).ensureTopics(
            [TopicSpecification(live, partitions: Trial.partitions)], timeout: .seconds(30))
        return (trial, live)
    }

    @Test("live requests overtake the bulk requests that fill the window", arguments: brokers)
    func overtaking(_ broker: Trial.Broker) throws {
        let (trial, live) = try trial(broker)
        let worker = try trial.startWorker([
            // The in-memory broker answers a fetch that waits only when its time is up, whatever comes meanwhile.
            "--topics", "\(live)=8,\(trial.requestsTopic)=1", "--beam", "1", "-X", "fetch.wait.max.ms=20",
        ])
        try trial.enqueue(requests("bulk", Self.bulk))
        let reader = try trial.reader(of: trial.resultsTopic)
        #expect(reader.read(within: .seconds(60)) { $0.count >= 20 }, "\(worker.logText)")
        // Or it might be done with the bulk before the live ones are in Kafka.
        worker.process.signal(SIGSTOP)
        try trial.enqueue(requests("live", 4), topic: live)
        worker.process.signal(SIGCONT)
        #expect(reader.read(within: .seconds(120)) { $0.count >= Self.bulk + 4 }, "\(worker.logText)")
        let results = try reader.messages.map {
            (result: try CaptionResult(decoding: $0.value ?? []), time: $0.timestamp)
        }
        #expect(Set(results.map(\.result.id)).count == Self.bulk + 4)
        let bulk = results.filter { $0.result.source.topic != live }
        for answered in results where answered.result.source.topic == live {
            // In the order of arrival it would come behind all that was in the window, 143 at least.
            let sent = answered.result.source.timestamp
            let passed = bulk.count { $0.time > sent && $0.time < answered.time }
            #expect(passed < 143, "\(passed) bulk results came while \(answered.result.id) waited")
            #expect(bulk.contains { $0.time > answered.time }, "no bulk request was left waiting")
        }
        #expect(worker.stop() == 0)
    }

    @Test("bulk gets its share while live requests never end")
    func share() throws {
        let (trial, live) = try trial(.embedded)
        try trial.enqueue(requests("live", 600), topic: live)
        try trial.enqueue(requests("bulk", 300))
        let worker = try trial.startWorker(["--topics", "\(live)=3,\(trial.requestsTopic)=1", "--beam", "1"])
        let reader = try trial.reader(of: trial.resultsTopic)
        #expect(reader.read(within: .seconds(120)) { $0.count >= 900 }, "\(worker.logText)")
        let ids = try order(reader.messages)
        #expect(Set(ids).count == 900)
        // A quarter is its share; the window's order of arrival and micro-batches blur it.
        let bulk = ids.prefix(400).count { $0.hasPrefix("bulk") }
        #expect((40...180).contains(bulk), "\(bulk) of the first 400 results were bulk")
        #expect(worker.stop() == 0)
    }
}
