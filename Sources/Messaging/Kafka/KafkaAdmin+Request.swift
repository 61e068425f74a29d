import CRdKafka

extension KafkaAdmin {
    /// Sends one admin request and waits for its answer.
    func perform(
        _ operation: rd_kafka_admin_op_t, timeout: Duration, send: (OpaquePointer?, OpaquePointer?) -> Void,
        result: (OpaquePointer) throws -> Void
    ) throws {
        let options = rd_kafka_AdminOptions_new(handle.pointer, operation)
        defer { rd_kafka_AdminOptions_destroy(options) }
        let milliseconds = max(1, timeout.milliseconds)
        rd_kafka_AdminOptions_set_request_timeout(options, milliseconds, nil, 0)
        let queue = rd_kafka_queue_new(handle.pointer)
        defer { rd_kafka_queue_destroy(queue) }
        send(options, queue)
        // librdkafka answers by itself when the request's time is up; the second more is for that.
        guard let event = rd_kafka_queue_poll(queue, milliseconds + 1000) else {
            throw KafkaError.timedOut("the brokers did not answer within \(timeout)")
        }
        defer { rd_kafka_event_destroy(event) }
        let code = rd_kafka_event_error(event)
        if code != RD_KAFKA_RESP_ERR_NO_ERROR {
            throw KafkaError(code, rd_kafka_event_error_string(event).map { String(cString: $0) })
        }
        try result(event)
    }
}
