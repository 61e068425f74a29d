import CRdKafka

/// Transactions of a producer that was made with a `transactional.id`. The calls block, so they belong to a thread of the
/// caller's own, one at a time; records are produced between `beginTransaction` and `commitTransaction`.
///
/// What an error wants: `isRetriable`, the same call again; `requiresAbort`, `abortTransaction` and then everything anew;
/// anything else, a new producer. librdkafka's INTRODUCTION.md, "Transactional producer", has the details.
extension KafkaProducer {
    /// Fences earlier producers of the same `transactional.id`, and waits until their transactions have come to an end.
    /// Once, before anything else.
    public func initializeTransactions(timeout: Duration) throws {
        try check(rd_kafka_init_transactions(handle.pointer, timeout.milliseconds))
    }

    public func beginTransaction() throws {
        try check(rd_kafka_begin_transaction(handle.pointer))
    }

    /// Makes the offsets of the next records to read a part of the transaction.
    public func sendOffsets(
        _ offsets: [TopicPartitionOffset], of group: ConsumerGroupMetadata, timeout: Duration
    ) throws {
        let list = PartitionList(offsets)
        try check(
            rd_kafka_send_offsets_to_transaction(
                handle.pointer, list.pointer, group.pointer, timeout.milliseconds))
    }

    /// Waits until every record is delivered and the transaction is committed, as long as the transaction may take
    /// (librdkafka advises against any shorter time). After a retriable error it goes on where it was.
    public func commitTransaction() throws {
        try check(rd_kafka_commit_transaction(handle.pointer, -1))
    }

    /// Gives up the transaction's records (their reports say `_PURGE_…`) and offsets.
    public func abortTransaction() throws {
        try check(rd_kafka_abort_transaction(handle.pointer, -1))
    }

    private func check(_ error: OpaquePointer?) throws {
        guard let error = KafkaError(consuming: error) else { return }
        handle.context.notice(error)
        throw error
    }
}
