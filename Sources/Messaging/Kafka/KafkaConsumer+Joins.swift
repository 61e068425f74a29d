import CRdKafka

extension KafkaConsumer {
    /// Whether this member has asked to join its group and has no answer yet: then offsets must not be committed, but in the
    /// answer to a revoke.
    ///
    /// Members hear of a rebalance by heartbeat, so whoever hears first waits for the others, for up to
    /// `heartbeat.interval.ms`. Brokers see to the requests of a connection one after another, and librdkafka sends commits on
    /// the connection on which the join waits: one that is sent meanwhile is looked at when the generation it belongs to
    /// has ended, and its `ILLEGAL_GENERATION` makes librdkafka give up all partitions as lost.
    public var isJoining: Bool { member.isJoining }

    /// Has joins of clients of this configuration noted: a request is noted when it is on the wire, before its answer can be.
    static func noteJoins(of configuration: OpaquePointer) {
        rd_kafka_conf_interceptor_add_on_new(configuration, "kaption-joins", clientMade, nil)
    }

    /// The group has answered.
    func endJoin() { handle.context.isJoining.store(false, ordering: .releasing) }
}

private let clientMade:
    @convention(c) (
        OpaquePointer?, OpaquePointer?, UnsafeMutableRawPointer?, UnsafeMutablePointer<CChar>?, Int
    ) -> rd_kafka_resp_err_t = { client, _, _, _, _ in
        rd_kafka_interceptor_add_on_request_sent(client, "kaption-joins", requestSent, nil)
    }

/// Kafka's number of the JoinGroup request.
private let joinGroup: Int16 = 11

private let requestSent:
    @convention(c) (
        OpaquePointer?, Int32, UnsafePointer<CChar>?, Int32, Int16, Int16, Int32, Int, UnsafeMutableRawPointer?
    ) -> rd_kafka_resp_err_t = { client, _, _, _, request, _, _, _, _ in
        if request == joinGroup, let client, let context = ClientContext.from(rd_kafka_opaque(client)) {
            context.isJoining.store(true, ordering: .releasing)
        }
        return RD_KAFKA_RESP_ERR_NO_ERROR
    }
