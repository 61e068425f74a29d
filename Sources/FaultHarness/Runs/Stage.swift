import Foundation
import Messaging

/// Names of one run's topics and group.
struct TopicNames: Sendable {
    let group: String
    var requests: String { group + ".requests" }
    var results: String { group + ".results" }
    var deadLetters: String { group + ".dead-letters" }
}

/// Everything a fault can lay its hands on. It belongs to the thread that strikes the faults.
final class Stage {
    let shape: ClusterShape
    let topics: TopicNames
    let cluster: KafkaCluster
    let admin: KafkaAdmin
    let offsets: GroupOffsets
    let workers: WorkerCrew
    let pictures: PictureStore
    let ledger: Ledger
    let journal: Journal

    init(
        shape: ClusterShape, topics: TopicNames, cluster: KafkaCluster, admin: KafkaAdmin, offsets: GroupOffsets,
        workers: WorkerCrew, pictures: PictureStore, ledger: Ledger, journal: Journal
    ) {
        self.shape = shape
        self.topics = topics
        self.cluster = cluster
        self.admin = admin
        self.offsets = offsets
        self.workers = workers
        self.pictures = pictures
        self.ledger = ledger
        self.journal = journal
    }

    var requestPartitions: [TopicPartition] {
        (0..<Int32(ledger.partitionCount)).map { TopicPartition(topic: topics.requests, partition: $0) }
    }

    /// Lets a fault last.
    func hold(for duration: Duration) { Thread.sleep(forTimeInterval: duration.inSeconds) }

    /// Waits until a condition holds, asking five times a second; an error counts as "not yet", as brokers may be away.
    func eventually(within timeout: Duration, _ condition: () throws -> Bool) throws -> Bool {
        let end = ContinuousClock.now + timeout
        var failure: (any Error)?
        repeat {
            do {
                if try condition() { return true }
                failure = nil
            } catch {
                failure = error
            }
            Thread.sleep(forTimeInterval: 0.2)
        } while ContinuousClock.now < end
        if let failure { throw failure }
        return false
    }
}
