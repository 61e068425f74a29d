import CRdKafka

/// An owned list of partitions with offsets, as librdkafka takes and gives them. Not shared between threads.
struct PartitionList: ~Copyable {
    let pointer: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>

    init(_ partitions: some Collection<TopicPartition>) {
        pointer = rd_kafka_topic_partition_list_new(Int32(partitions.count))
        for partition in partitions { add(partition) }
    }

    init(_ offsets: some Collection<TopicPartitionOffset>) {
        pointer = rd_kafka_topic_partition_list_new(Int32(offsets.count))
        for item in offsets { add(item.partition).pointee.offset = item.offset }
    }

    deinit { rd_kafka_topic_partition_list_destroy(pointer) }

    @discardableResult
    private func add(_ partition: TopicPartition) -> UnsafeMutablePointer<rd_kafka_topic_partition_t> {
        rd_kafka_topic_partition_list_add(pointer, partition.topic, partition.partition)
    }

    /// The first partition that an operation failed for.
    var firstError: KafkaError? { pointer.pointee.firstError }
}

extension rd_kafka_topic_partition_list_t {
    var elements: UnsafeBufferPointer<rd_kafka_topic_partition_t> { UnsafeBufferPointer(start: elems, count: Int(cnt)) }

    var firstError: KafkaError? {
        elements.first { $0.err != RD_KAFKA_RESP_ERR_NO_ERROR }.map { KafkaError($0.err, partition: $0.topicPartition) }
    }

    /// Those with a real offset (librdkafka marks "none" by negative numbers).
    var offsets: [TopicPartitionOffset] {
        elements.filter { $0.offset >= 0 }.map { TopicPartitionOffset($0.topicPartition, offset: $0.offset) }
    }
}

extension rd_kafka_topic_partition_t {
    var topicPartition: TopicPartition { TopicPartition(topic: String(cString: topic), partition: partition) }
}
