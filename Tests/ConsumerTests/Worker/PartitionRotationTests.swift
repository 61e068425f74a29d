import Messaging
import Testing

@testable import Consumer

@Suite("Which partition is looked at next, and how much is fetched ahead")
struct PartitionRotationTests {
    private func partition(_ topic: String, _ number: Int32) -> TopicPartition {
        TopicPartition(topic: topic, partition: number)
    }

    @Test("heavier topics first, and each partition of a topic first in its turn")
    func rotation() {
        var rotation = PartitionRotation(TopicWeights([("bulk", 1), ("live", 8)]))
        rotation.add((0..<3).map { partition("bulk", $0) })
        rotation.add([partition("live", 0)])
        rotation.add([partition("bulk", 2)])
        var first: Set<Int32> = []
        for _ in 0..<3 {
            let round = rotation.nextRound()
            #expect(round.map(\.topic) == [1, 0, 0, 0])
            #expect(Set(round.map(\.partition)).count == 4)
            first.insert(round[1].partition.partition)
        }
        #expect(first == [0, 1, 2])
        rotation.remove([partition("live", 0), partition("bulk", 1)])
        #expect(Set(rotation.nextRound().map(\.partition)) == [partition("bulk", 0), partition("bulk", 2)])
    }

    @Test("what is fetched ahead of all partitions together is bounded, and of each enough to work on")
    func prefetch() {
        #expect(Prefetch(partitions: 8) == Prefetch(partitions: 8))
        #expect(Prefetch(partitions: 8).kilobytes == 8192)
        #expect(Prefetch(partitions: 8).messages == 12_500)
        #expect(Prefetch(partitions: 1).kilobytes == 16_384)
        #expect(Prefetch(partitions: 1000).kilobytes == 1024)
        #expect(Prefetch(partitions: 1000).messages == 1000)
        #expect(Prefetch(partitions: 0).messages == 100_000)
    }

    @Test("what the user sets stays")
    func userProperties() {
        var kafka = KafkaConfiguration(bootstrapServers: "localhost:9092")
        kafka.set("queued.min.messages", "7")
        Prefetch(partitions: 8).apply(to: &kafka)
        #expect(kafka.properties["queued.min.messages"] == "7")
        #expect(kafka.properties["queued.max.messages.kbytes"] == "8192")
    }
}
