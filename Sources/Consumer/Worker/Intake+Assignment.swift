import Messaging

/// What happens when partitions come and go, and when a partition has no offset to start from. All within `poll` or
/// `close`, on the poll thread.
extension Intake: KafkaConsumerDelegate {
    func consumer(_ consumer: KafkaConsumer, assigned partitions: [TopicPartition]) -> [TopicPartitionOffset] {
        noteAssigned()
        ledger.assign(partitions)
        rotation.add(partitions)
        logger.info("assigned", metadata: ["partitions": .string(partitions.names)])
        // A client that is closing gets no answer, and nothing of these partitions will be read.
        if stop.isRequested { return [] }
        do {
            let committed = try consumer.committedOffsets(of: partitions, timeout: .seconds(3))
            journal?.refresh(committed: committed)
            let fresh = Set(partitions).subtracting(committed.map(\.partition))
            return committed + fresh.map { TopicPartitionOffset($0, offset: TopicPartitionOffset.beginning) }
        } catch {
            journal?.refresh(committed: [])
            // librdkafka asks for itself, and reports what has no offset: `position` then decides.
            return []
        }
    }

    func consumer(_ consumer: KafkaConsumer, revoked partitions: [TopicPartition]) {
        counters.count(\.revoked)
        ledger.close(partitions)
        let deadline = MonotonicTime.now + settings.revokeTimeout
        let isSettled = ledger.waitUntilSettled(partitions, until: deadline)
        if !publisher.commitsOffsets { commitFinally(partitions, by: consumer) }
        forget(partitions)
        logger.info(
            "revoked",
            metadata: ["partitions": .string(partitions.names), "settled": .boolean(isSettled)])
    }

    private func commitFinally(_ partitions: [TopicPartition], by consumer: KafkaConsumer) {
        let offsets = ledger.finalOffsetsToCommit(of: partitions)
        do {
            try consumer.commit(offsets, timeout: .seconds(3))
        } catch {
            commitFailed(offsets, error)
        }
    }

    func consumer(_ consumer: KafkaConsumer, lost partitions: [TopicPartition]) {
        counters.count(\.lost)
        readiness.miss(.groupJoined, because: "the group has given this worker's partitions to others")
        forget(partitions)
        logger.warning("lost", metadata: ["partitions": .string(partitions.names)])
    }

    func consumer(_ consumer: KafkaConsumer, committed offsets: [TopicPartitionOffset], error: KafkaError?) {
        if let error {
            commitFailed(offsets, error)
        } else {
            ledger.commitEnded(offsets, succeeded: true)
        }
    }

    private func forget(_ partitions: [TopicPartition]) {
        ledger.remove(partitions)
        rotation.remove(partitions)
        for partition in partitions {
            positionless[partition] = nil
            losses[partition] = nil
        }
    }

    /// Restarts a partition that stands still. Without a committed offset it starts at the first record there is. With one that
    /// retention has overtaken, it does too, and what is missing is counted.
    func position(_ partition: TopicPartition, of consumer: KafkaConsumer) {
        do {
            let there = try consumer.watermarks(of: partition, timeout: .seconds(2))
            let committed = try consumer.committedOffsets(of: [partition], timeout: .seconds(2)).first?.offset
            let taken = ledger.highestOffset(of: partition).map { $0 + 1 }
            // A commit of the first record there is may have come to pass though its answer did not come: what was expected
            // before it counts, or a loss would not be seen.
            let expected = losses[partition] ?? [committed, taken].compactMap { $0 }.max()
            if let expected, !(there.lowerBound...there.upperBound).contains(expected) {
                let isAnew = expected > there.upperBound
                // What was taken before is committed first, so that offsets are committed in their order; of a topic that was made anew
                // nothing was.
                guard isAnew || taken ?? 0 <= committed ?? 0, !consumer.isJoining else {
                    positionless[partition] = .now + .milliseconds(200)
                    return
                }
                if !isAnew { losses[partition] = expected }
                // Whoever has the partition next must not count the same requests again, nor may what is committed of a topic pass for
                // offsets of the one made anew.
                try consumer.commit([.init(partition, offset: there.lowerBound)], timeout: .seconds(2))
            }
            let start = startingOffset(of: partition, on: consumer, expected: expected, there: there)
            losses[partition] = nil
            try consumer.restart(partition, at: start)
            positionless[partition] = nil
        } catch {
            positionless[partition] = .now + .seconds(1)
            if let suppressed = limiter.admit("position") {
                logger.warning(
                    "a partition's offsets cannot be asked for yet",
                    metadata: [
                        "partition": .string("\(partition)"), "error": .string("\(error)"),
                        "suppressed": .integer(suppressed),
                    ])
            }
        }
    }

    private func startingOffset(
        of partition: TopicPartition, on consumer: KafkaConsumer, expected: Int64?, there: Range<Int64>
    ) -> Int64 {
        guard let expected else { return there.lowerBound }
        if expected < there.lowerBound {
            let lost = Int(there.lowerBound - expected)
            counters.count(\.lostToRetention, by: lost)
            logger.error(
                "requests were deleted by the topic's retention before they were read",
                metadata: [
                    "partition": .string("\(partition)"), "committed": .integer(Int(expected)),
                    "first": .integer(Int(there.lowerBound)), "requests_lost_to_retention": .integer(lost),
                ])
            return there.lowerBound
        }
        if expected > there.upperBound {
            // The topic was made anew: its offsets begin again, and so does the epoch.
            ledger.assign([partition])
            logger.warning(
                "the committed offset is beyond the partition's end; it is read from its first record",
                metadata: [
                    "partition": .string("\(partition)"), "committed": .integer(Int(expected)),
                    "first": .integer(Int(there.lowerBound)), "end": .integer(Int(there.upperBound)),
                ])
            return there.lowerBound
        }
        return expected
    }
}

extension [TopicPartition] {
    /// As a log line shows them.
    fileprivate var names: String { sorted().map(\.description).joined(separator: " ") }
}
