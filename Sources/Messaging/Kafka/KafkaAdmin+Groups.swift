import CRdKafka

extension KafkaAdmin {
    /// What a group has committed of these partitions; those without an offset are left out, so a group that does not
    /// exist has none.
    ///
    /// It is asked by a consumer that never joins the group: librdkafka 2.0.2's own request for it
    /// (`ListConsumerGroupOffsets`) hangs where the group's coordinator is not up yet, and can crash the process.
    /// - Throws: `KafkaError`: `.authorization` without the right to describe the group, `.unreachable` after `timeout`.
    public func committedOffsets(
        ofGroup group: String, of partitions: [TopicPartition], timeout: Duration
    ) throws -> [TopicPartitionOffset] {
        let clock = ContinuousClock()
        let end = clock.now + timeout
        let consumer = try KafkaConsumer(configuration, groupID: group)
        defer { consumer.close(deadline: .seconds(1)) }
        while true {
            do {
                let left = max(.milliseconds(1), end - clock.now)
                return try consumer.committedOffsets(of: partitions, timeout: min(.seconds(1), left))
            } catch let error as KafkaError where error.isRetriable {
                // Why the coordinator is out of reach is only told by events.
                while case .error(let cause)? = consumer.poll(timeoutMilliseconds: 0) {
                    if cause.isRefusal { throw cause }
                }
                if clock.now >= end { throw error }
            }
        }
    }
}
