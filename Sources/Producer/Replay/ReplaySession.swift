import Foundation
import Messaging
import Telemetry

/// Reads the dead letters up to the end that the topic had at the start, and sends their requests again. It belongs to the
/// thread that runs it.
///
/// A member of the replay group owns its partitions, so that two replays at once share them and none is sent twice. An
/// offset is committed after the requests before it are acknowledged: a crash in between repeats those sent since the last
/// commit, a second's at most. A dry run reads beside the group and changes nothing.
final class ReplaySession {
    struct Context {
        var deadLettersTopic: String
        /// Where all requests go; nil: to the topics they came from.
        var target: String?
        var knownTopics: Set<String>
        var partitionCount: Int
        var group: String
        var filter: ReplayFilter
        var isDryRun: Bool
        /// Requests a second; nil for no limit.
        var rate: Double?
        var timeout: Duration
        var interruption: Interruption
        var reporter: Reporter
        /// Of a dry run.
        var onListed: (DeadLetterLine) -> Void
    }

    private struct Sent {
        var source: TopicPartitionOffset
        var code: String
        var request: String
    }

    private let context: Context
    /// nil in a dry run, which needs no right to write.
    private let sender: ReplaySender?
    private let ends: [TopicPartition: Range<Int64>]
    private var consumer: KafkaConsumer?
    private let configuration: KafkaConfiguration
    private var ledgers: [TopicPartition: ReplayLedger] = [:]
    private var sent: [UInt64: Sent] = [:]
    private var nextToken: UInt64 = 0
    private var bucket: TokenBucket?
    private var wasAssigned = false
    private var failure: (any Error)?
    /// Since when Kafka has been silent, and why.
    private var outage: (start: ContinuousClock.Instant, error: KafkaError)?
    private var nextCommit = ContinuousClock.now
    private let start = ContinuousClock.now
    private(set) var report: ReplayReport
    /// Whether dead letters that match were left, or could not be noted as replayed.
    private(set) var isIncomplete = false

    /// - Throws: `KafkaError`.
    init(_ configuration: KafkaConfiguration, _ context: Context) throws {
        self.context = context
        self.configuration = configuration
        report = ReplayReport(isDryRun: context.isDryRun)
        bucket = context.rate.map { TokenBucket(rate: $0, now: .zero) }
        ends = try KafkaAdmin(configuration).watermarks(of: context.deadLettersTopic, timeout: context.timeout)
        sender =
            context.isDryRun
            ? nil
            : try ReplaySender(
                configuration, timeout: context.timeout, interruption: context.interruption, reporter: context.reporter)
    }

    /// Returns when all partitions have been read to their end, or the program is interrupted.
    ///
    /// - Throws: `KafkaError`, `ReplayFailure`.
    func run() throws {
        let consumer = try makeConsumer()
        self.consumer = consumer
        defer {
            consumer.close(deadline: .seconds(10))
            sender?.close()
        }
        if context.isDryRun {
            let partitions = ends.keys.sorted()
            try consumer.assign(open(partitions, consumer))
        } else {
            try consumer.subscribe([context.deadLettersTopic])
        }
        while !context.interruption.isRaised, failure == nil, !isDone {
            try step(consumer)
            takeOutcomes()
            if ContinuousClock.now >= nextCommit { commit(Array(ledgers.keys)) }
        }
        settle(Array(ledgers.keys))
        if let failure { throw failure }
    }

    private func makeConsumer() throws -> KafkaConsumer {
        var properties = [
            "enable.partition.eof": "true", "partition.assignment.strategy": "range",
            // A slow --rate is no reason to lose the partitions.
            "max.poll.interval.ms": "86400000",
        ]
        // After a replay that was killed the next one waits this long for its partitions.
        if configuration.properties["session.timeout.ms"] == nil { properties["session.timeout.ms"] = "10000" }
        return try KafkaConsumer(configuration, groupID: context.group, properties: properties, delegate: self)
    }

    private func step(_ consumer: KafkaConsumer) throws {
        switch consumer.poll(timeoutMilliseconds: 100) {
        case .message(let message):
            outage = nil
            take(message)
        case .partitionEnd(let end):
            outage = nil
            ledgers[end.partition]?.advance(to: end.offset)
        case .error(let error):
            try take(error, consumer)
        case nil:
            break
        }
        if let outage, ContinuousClock.now - outage.start > context.timeout { throw outage.error }
    }

    private var isDone: Bool { wasAssigned && ledgers.values.allSatisfy(\.isAtEnd) }

    // MARK: Dead letters

    private func take(_ message: KafkaMessage) {
        let partition = message.topicPartition
        guard var ledger = ledgers[partition], !ledger.isAtEnd, message.offset >= ledger.position else { return }
        ledger.advance(to: message.offset + 1)
        // What came after the start is the next run's.
        if message.offset < ledger.end { decide(message, &ledger) }
        ledgers[partition] = ledger
    }

    private func decide(_ message: KafkaMessage, _ ledger: inout ReplayLedger) {
        if ledger.isReplayed(message.offset) {
            report.alreadyReplayed += 1
            return
        }
        guard let letter = ReceivedDeadLetter(message) else {
            return dismiss(message, .foreign, code: "unknown", "it is not a dead letter of Kaption's", &ledger)
        }
        guard context.filter.admits(code: letter.code, timestamp: message.timestamp) else {
            return pass(message, letter, &ledger)
        }
        if let omission = letter.omission {
            let reason = "the dead letter went without \(omission), which were too large: enqueue the image anew"
            return dismiss(message, .omitted, code: letter.code, reason, request: letter.replayOf, &ledger)
        }
        let target = context.target ?? letter.origin.topic
        guard context.knownTopics.contains(target), target != context.deadLettersTopic else {
            leave(
                message, letter, .topic, "there is no topic \(target) to send it to: create it, or give --topic",
                &ledger)
            return
        }
        if context.isDryRun {
            context.onListed(DeadLetterLine(letter: letter, failedAt: message.timestamp, target: target))
            report.count(letter.code, \.replayed)
        } else if !ledger.hasRoom() {
            leave(
                message, letter, .room, "too many older ones were passed over: replay those first, with fewer filters",
                &ledger
            )
        } else {
            send(message, letter, to: target, &ledger)
        }
    }

    private func send(
        _ message: KafkaMessage, _ letter: ReceivedDeadLetter, to target: String, _ ledger: inout ReplayLedger
    ) {
        let delay = bucket?.take(now: ContinuousClock.now - start) ?? .zero
        guard context.interruption.wait(delay) else { return pass(message, letter, &ledger) }
        ledger.begin(message.offset)
        sent[nextToken] = Sent(
            source: TopicPartitionOffset(message.topicPartition, offset: message.offset), code: letter.code,
            request: letter.replayOf)
        sender?.send(letter.replay, topic: target, token: nextToken)
        nextToken += 1
    }

    private func pass(_ message: KafkaMessage, _ letter: ReceivedDeadLetter, _ ledger: inout ReplayLedger) {
        ledger.pass(message.offset)
        report.count(letter.code, \.left)
    }

    private func leave(
        _ message: KafkaMessage, _ letter: ReceivedDeadLetter, _ obstacle: Reporter.Obstacle, _ reason: String,
        _ ledger: inout ReplayLedger
    ) {
        pass(message, letter, &ledger)
        isIncomplete = true
        context.reporter.notReplayed(
            obstacle, deadLetter: "\(message.topicPartition)@\(message.offset)", request: letter.replayOf,
            reason: reason)
    }

    /// Nothing will ever make it one that can be sent.
    private func dismiss(
        _ message: KafkaMessage, _ obstacle: Reporter.Obstacle, code: String, _ reason: String, request: String = "",
        _ ledger: inout ReplayLedger
    ) {
        ledger.dismiss()
        report.count(code, \.impossible)
        context.reporter.notReplayed(
            obstacle, deadLetter: "\(message.topicPartition)@\(message.offset)", request: request, reason: reason)
    }

    // MARK: Outcomes and commits

    private func takeOutcomes() {
        for outcome in sender?.takeOutcomes() ?? [] {
            guard let sent = sent.removeValue(forKey: outcome.token) else { continue }
            if let error = outcome.error {
                report.count(sent.code, \.failed)
                context.reporter.undelivered(image: sent.request, error: error)
            } else {
                report.count(sent.code, \.replayed)
                ledgers[sent.source.partition]?.settle(sent.source.offset)
            }
        }
    }

    /// Waits for the outcome of all that was sent, and commits.
    private func settle(_ partitions: [TopicPartition]) {
        let end = ContinuousClock.now + context.timeout + .seconds(5)
        takeOutcomes()
        while !sent.isEmpty {
            if ContinuousClock.now >= end { sender?.purge() }
            if ContinuousClock.now >= end + .seconds(1) { break }
            sender?.flush(timeout: .milliseconds(100))
            takeOutcomes()
        }
        commit(partitions)
    }

    private func commit(_ partitions: [TopicPartition]) {
        nextCommit = .now + .seconds(1)
        if context.isDryRun { return }
        let offsets = partitions.compactMap { ledgers[$0]?.takeOffset() }
        do {
            try consumer?.commit(offsets, timeout: min(context.timeout, .seconds(10)))
        } catch {
            for offset in offsets { ledgers[offset.partition]?.keep() }
            isIncomplete = true
            context.reporter.log(
                .error, "what was replayed could not be noted and may be replayed again", ["reason": "\(error)"])
        }
    }

    private func take(_ error: KafkaError, _ consumer: KafkaConsumer) throws {
        if error.isFatal || error.category == .authentication || error.category == .authorization { throw error }
        if error.name == "_AUTO_OFFSET_RESET", let partition = error.partition {
            // Retention was faster: what is gone needs no replay.
            let first = try consumer.watermarks(of: partition, timeout: context.timeout).lowerBound
            ledgers[partition]?.advance(to: first)
            return try consumer.restart(partition, at: first)
        }
        context.reporter.kafka(error)
        if error.category == .unreachable, outage == nil { outage = (.now, error) }
    }
}

extension ReplaySession: KafkaConsumerDelegate {
    func consumer(_ consumer: KafkaConsumer, assigned partitions: [TopicPartition]) -> [TopicPartitionOffset] {
        do {
            return try open(partitions, consumer)
        } catch {
            failure = error
            return []
        }
    }

    /// Ledgers of these partitions, and where to read them from.
    private func open(_ partitions: [TopicPartition], _ consumer: KafkaConsumer) throws -> [TopicPartitionOffset] {
        let committed = try consumer.committed(partitions, timeout: min(context.timeout, .seconds(30)))
        for partition in partitions {
            // A partition that was added since then has nothing of before.
            ledgers[partition] = try ReplayLedger(
                partition, committed: committed.first { $0.partition == partition }, range: ends[partition] ?? 0..<0)
        }
        wasAssigned = true
        return partitions.compactMap { partition in
            ledgers[partition].map { TopicPartitionOffset(partition, offset: $0.position) }
        }
    }

    func consumer(_ consumer: KafkaConsumer, revoked partitions: [TopicPartition]) {
        settle(partitions)
        for partition in partitions { ledgers[partition] = nil }
    }

    func consumer(_ consumer: KafkaConsumer, lost partitions: [TopicPartition]) {
        isIncomplete = true
        for partition in partitions { ledgers[partition] = nil }
        context.reporter.log(
            .error, "the group gave this replay's partitions away: what it sent last may be sent twice")
    }

    func consumer(_ consumer: KafkaConsumer, committed offsets: [TopicPartitionOffset], error: KafkaError?) {}
}
