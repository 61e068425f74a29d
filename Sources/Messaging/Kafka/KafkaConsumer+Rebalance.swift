import CRdKafka

/// The group protocol: what librdkafka announces is told to the delegate first and answered afterwards.
extension KafkaConsumer {
    /// Whether assignments change by increments.
    var isCooperative: Bool {
        rd_kafka_rebalance_protocol(handle.pointer).map { String(cString: $0) } == "COOPERATIVE"
    }

    /// A rebalance that came as an event.
    func rebalance(_ event: OpaquePointer) {
        guard let list = rd_kafka_event_topic_partition_list(event) else { return }
        rebalance(rd_kafka_event_error(event), list)
    }

    fileprivate func rebalance(
        _ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        serve(code, list)
        if arrivals != nil { fetchWaker.wake(assignment) }
    }

    private func serve(
        _ code: rd_kafka_resp_err_t, _ list: UnsafeMutablePointer<rd_kafka_topic_partition_list_t>
    ) {
        let partitions = list.pointee.elements.map(\.topicPartition)
        switch code {
        case RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS:
            wasAssigned = true
            // Before the answer, which may make it join again.
            endJoin()
            assignment.formUnion(partitions)
            for start in delegate?.consumer(self, assigned: partitions) ?? [] {
                rd_kafka_topic_partition_list_set_offset(
                    list, start.partition.topic, start.partition.partition, start.offset)
            }
            separate(partitions)
            answer(isCooperative ? rd_kafka_incremental_assign(handle.pointer, list) : assignAll(list))
            // The flag of a pause survives revoke and assignment: without this the partition would stay silent.
            resume(paused.intersection(partitions))
        case RD_KAFKA_RESP_ERR__REVOKE_PARTITIONS:
            if rd_kafka_assignment_lost(handle.pointer) != 0 {
                delegate?.consumer(self, lost: partitions)
            } else {
                delegate?.consumer(self, revoked: partitions)
            }
            assignment.subtract(partitions)
            for partition in partitions { recordQueues[partition] = nil }
            answer(isCooperative ? rd_kafka_incremental_unassign(handle.pointer, list) : assignAll(nil))
        default:
            // The rebalance failed: librdkafka wants the assignment to be given up.
            delegate?.consumer(self, lost: Array(assignment))
            assignment = []
            recordQueues = [:]
            answer(assignAll(nil))
            handle.context.report(KafkaError(code))
        }
    }

    private func assignAll(_ list: UnsafePointer<rd_kafka_topic_partition_list_t>?) -> OpaquePointer? {
        let code = rd_kafka_assign(handle.pointer, list)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR { handle.context.report(KafkaError(code)) }
        return nil
    }

    private func answer(_ error: OpaquePointer?) {
        if let error = KafkaError(consuming: error) { handle.context.report(error) }
    }
}

let rebalanceCallback:
    @convention(c) (
        OpaquePointer?, rd_kafka_resp_err_t, UnsafeMutablePointer<rd_kafka_topic_partition_list_t>?,
        UnsafeMutableRawPointer?
    ) -> Void = { client, code, list, opaque in
        guard let client, let list else { return }
        if let consumer = ClientContext.from(opaque)?.consumer {
            consumer.rebalance(code, list)
        } else {
            // The consumer went without `close`: nobody is left to be asked.
            rd_kafka_assign(client, nil)
        }
    }
