import CRdKafka

extension KafkaConsumer {
    /// Makes an assigned partition go on from another offset by taking it out of the assignment and back in: the way out
    /// for one that stands still after `_AUTO_OFFSET_RESET`, which librdkafka does not seek (`_STATE`). The group hears nothing of it.
    public func restart(_ partition: TopicPartition, at offset: Int64) throws {
        guard assignment.contains(partition) else { return }
        let one = PartitionList([TopicPartitionOffset(partition, offset: offset)])
        if isCooperative {
            if let error = KafkaError(consuming: rd_kafka_incremental_unassign(handle.pointer, one.pointer)) {
                throw error
            }
            if let error = KafkaError(consuming: rd_kafka_incremental_assign(handle.pointer, one.pointer)) {
                throw error
            }
        } else {
            // An eager assignment is only ever set whole; the others go on from where they are.
            let all = PartitionList(assignment)
            rd_kafka_position(handle.pointer, all.pointer)
            rd_kafka_topic_partition_list_set_offset(all.pointer, partition.topic, partition.partition, offset)
            try check(rd_kafka_assign(handle.pointer, all.pointer))
        }
    }
}
