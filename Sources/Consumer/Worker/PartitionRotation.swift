import Messaging

/// In which order the poll thread looks at its partitions: those of heavier topics first, and among the partitions of one
/// topic another first each time. A value type without locks.
struct PartitionRotation: Sendable {
    private let topics: TopicWeights
    /// One list a topic.
    private var partitions: [[TopicPartition]]
    private let topicsByWeight: [Int]
    private var round = 0

    init(_ topics: TopicWeights) {
        self.topics = topics
        partitions = Array(repeating: [], count: topics.count)
        topicsByWeight = topics.weights.indices.sorted { topics.weights[$0] > topics.weights[$1] }
    }

    mutating func add(_ added: [TopicPartition]) {
        remove(added)
        for partition in added { partitions[topics.index(of: partition.topic)].append(partition) }
        for topic in partitions.indices { partitions[topic].sort() }
    }

    mutating func remove(_ removed: [TopicPartition]) {
        for topic in partitions.indices { partitions[topic].removeAll { removed.contains($0) } }
    }

    /// All partitions in the order of the next round, each with its topic's index.
    mutating func nextRound() -> [(partition: TopicPartition, topic: Int)] {
        round &+= 1
        return topicsByWeight.flatMap { topic in
            let list = partitions[topic]
            return list.indices.map { (list[($0 + round) % list.count], topic) }
        }
    }
}
