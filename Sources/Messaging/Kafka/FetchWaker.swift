import CRdKafka
import Dispatch

/// Makes librdkafka fetch at once after a rebalance.
///
/// librdkafka 2.0.2 pauses all partitions while a rebalance is being answered and resumes them afterwards, but tells the threads
/// that fetch neither: one that has no fetch under way finds out when it next looks, after up to a second, in which a
/// partition that the rebalance did not even touch stands still. Any request to a partition's leader wakes the thread of that
/// broker; asking for a watermark is the smallest.
///
/// The resuming is done by another thread of librdkafka's at a time that nothing tells, so it is asked a few times.
final class FetchWaker: Sendable {
    private static let delays: [Duration] = [.milliseconds(20), .milliseconds(80), .milliseconds(250)]
    /// So many partitions have, in all likelihood, every broker among their leaders.
    private static let maximumPartitions = 16

    private let queue = DispatchQueue(label: "kafka-fetch-waker")
    private weak let handle: ClientHandle?

    init(_ handle: ClientHandle) { self.handle = handle }

    /// Never waits: the asking is done by a thread of its own.
    func wake(_ partitions: some Collection<TopicPartition>) {
        let asked = Array(partitions.prefix(Self.maximumPartitions))
        if asked.isEmpty { return }
        for delay in Self.delays {
            queue.asyncAfter(deadline: .now() + .milliseconds(Int(delay.milliseconds))) { [self] in ask(asked) }
        }
    }

    private func ask(_ partitions: [TopicPartition]) {
        guard let handle else { return }
        for partition in partitions {
            var (low, high): (Int64, Int64) = (0, 0)
            let code = rd_kafka_query_watermark_offsets(
                handle.pointer, partition.topic, partition.partition, &low, &high, 200)
            // Brokers that do not answer have nothing to fetch either.
            if code != RD_KAFKA_RESP_ERR_NO_ERROR { return }
        }
    }
}
