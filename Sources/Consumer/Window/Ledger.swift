import Messaging

/// Everything the worker knows of the requests that it has taken and not yet done with: the lanes of the assigned
/// partitions, and the window over all of them. The one place where their state is kept, behind one lock.
///
/// The poll thread assigns, admits and commits; I/O threads ask whether a request is still wanted; pool threads
/// start it; the publisher finishes it; the producer's thread acknowledges it. Nothing here blocks but the `wait…` calls.
final class Ledger<Answer: Sendable>: Sendable {
    private struct State: Sendable {
        /// By epoch.
        var gate: WindowGate<UInt32>
        var lanes: [UInt32: AssignedLane<Answer>] = [:]
        var epochs: [TopicPartition: UInt32] = [:]
        var lastEpoch: UInt32 = 0
        /// Places that were freed since the poll thread found no room; nil while it does not wait for any.
        var freedInShortage: Int?

        func lane(of partition: TopicPartition) -> AssignedLane<Answer>? { epochs[partition].flatMap { lanes[$0] } }

        /// Whether so many places have been freed that the poll thread is to be told; once for each shortage.
        mutating func endsShortage(freed: Int, enough: Int) -> Bool {
            guard let before = freedInShortage else { return false }
            let isEnough = before + freed >= enough
            freedInShortage = isEnough ? nil : before + freed
            return isEnough
        }

        mutating func confirmCommit(_ offset: TopicPartitionOffset) {
            guard let epoch = epochs[offset.partition], let lane = lanes[epoch] else { return }
            lanes[epoch]?.confirmedCommit = max(lane.confirmedCommit, offset.offset)
        }

        mutating func requestCommit(of epoch: UInt32, beyond earlier: (AssignedLane<Answer>) -> Int64)
            -> TopicPartitionOffset?
        {
            guard let lane = lanes[epoch], let watermark = lane.lane.watermark, watermark > earlier(lane) else {
                return nil
            }
            lanes[epoch]?.requestedCommit = watermark
            return TopicPartitionOffset(lane.partition, offset: watermark)
        }
    }

    private let order: ReleaseOrder
    private let messageCount: @Sendable (Answer) -> Int
    private let topics: TopicWeights
    /// Called, with no lock held, when so many places have become free that it is worth it to take more requests.
    private let onRoom: @Sendable () -> Void
    private let placesWorthWaking: Int
    private let state: Monitor<State>

    /// - Parameters:
    ///   - onRoom: called on any thread when there is room again after `room` found none.
    ///   - messageCount: how many messages an answer is produced as.
    init(
        limits: WindowGate<UInt32>.Limits, order: ReleaseOrder, topics: TopicWeights = .single,
        onRoom: @escaping @Sendable () -> Void = {}, messageCount: @escaping @Sendable (Answer) -> Int
    ) {
        self.order = order
        self.topics = topics
        self.onRoom = onRoom
        self.messageCount = messageCount
        placesWorthWaking = max(1, limits.requests / 16)
        state = Monitor(State(gate: WindowGate(limits: limits, topics: topics)))
    }

    // MARK: Assignments

    /// Begins a new epoch of these partitions; whatever is known of an earlier one is dropped.
    func assign(_ partitions: [TopicPartition]) {
        state.update { state in
            for partition in partitions {
                if let epoch = state.epochs[partition] {
                    state.lanes[epoch] = nil
                    state.gate.remove(epoch)
                }
                state.lastEpoch += 1
                state.epochs[partition] = state.lastEpoch
                state.lanes[state.lastEpoch] = AssignedLane(partition: partition, lane: PartitionLane(order: order))
                state.gate.add(state.lastEpoch, topic: topics.index(of: partition.topic))
            }
        }
    }

    /// Nothing of these partitions starts any more.
    func close(_ partitions: [TopicPartition]) {
        state.update { state in
            for partition in partitions {
                if let epoch = state.epochs[partition] { state.lanes[epoch]?.lane.close() }
            }
        }
    }

    /// Waits until what was running of closed partitions is safe in Kafka, as far as it can still be committed; whether
    /// that came to pass in time.
    func waitUntilSettled(_ partitions: [TopicPartition], until deadline: MonotonicTime) -> Bool {
        state.wait(until: deadline) { state in
            partitions.allSatisfy { state.lane(of: $0)?.lane.isSettled ?? true }
        }
    }

    /// Drops all that is known of these partitions: late results go nowhere.
    func remove(_ partitions: [TopicPartition]) {
        state.update { state in
            for partition in partitions {
                guard let epoch = state.epochs.removeValue(forKey: partition) else { continue }
                state.lanes[epoch] = nil
                state.gate.remove(epoch)
            }
        }
    }

    // MARK: The way of one request

    /// Takes a record in. Nil for one that is to be ignored: at or below the epoch's highest offset, or of a partition
    /// that is not assigned.
    func admit(_ partition: TopicPartition, offset: Int64, bytes: Int) -> Place? {
        admit(partition, [(offset, bytes)])[0]
    }

    /// The same for several records of one partition.
    func admit(_ partition: TopicPartition, _ records: [(offset: Int64, bytes: Int)]) -> [Place?] {
        state.withLock { state in
            guard let epoch = state.epochs[partition],
                let places = state.lanes[epoch]?.admit(records, epoch: epoch)
            else { return records.map { _ in nil } }
            var entered = (requests: 0, bytes: 0)
            for (place, record) in zip(places, records) where place != nil {
                entered.requests += 1
                entered.bytes += record.bytes
            }
            state.gate.enter(epoch, requests: entered.requests, bytes: entered.bytes)
            return places
        }
    }

    /// Whether the request's assignment still stands.
    func isWanted(_ place: Place) -> Bool {
        state.withLock { $0.lanes[place.epoch]?.lane.isOpen ?? false }
    }

    /// A pool thread wants to begin. False: drop the request.
    func start(_ place: Place) -> Bool {
        state.withLock { $0.lanes[place.epoch]?.lane.start(place.sequence) ?? false }
    }

    /// A pool thread gives back what it was to begin and did not: it waits again.
    func postpone(_ places: [Place]) {
        state.update { state in
            for place in places { state.lanes[place.epoch]?.lane.postpone(place.sequence) }
        }
    }

    /// Takes an answer in, and gives those that are to be produced now, in this order. An answer of an assignment that
    /// has ended gives none.
    func finish(_ place: Place, with answer: Answer) -> [(place: Place, answer: Answer)] { finish([(place, answer)]) }

    /// The same for several answers.
    func finish(_ answers: [(place: Place, answer: Answer)]) -> [(place: Place, answer: Answer)] {
        state.update { state in
            var released: [(place: Place, answer: Answer)] = []
            released.reserveCapacity(answers.count)
            for run in RunSequence(answers, by: \.place.epoch) {
                let epoch = run[run.startIndex].place.epoch
                state.lanes[epoch]?.finish(run, messages: messageCount) {
                    released.append((Place(epoch: epoch, sequence: $0), $1))
                }
            }
            return released
        }
    }

    /// An answer's result is safe in Kafka.
    func acknowledge(_ place: Place) { acknowledge([DeliveryToken(place, .result)]) }

    /// Messages of answers are.
    func acknowledge(_ messages: [DeliveryToken]) {
        free(messages, by: \.place.epoch) { $0.acknowledge($1.place.sequence, message: Int($1.kind.rawValue)) }
    }

    /// Answers whose messages and offsets were committed in one transaction.
    func complete(_ places: [Place], committed offsets: [TopicPartitionOffset]) {
        state.withLock { state in
            for offset in offsets { state.confirmCommit(offset) }
        }
        free(places, by: \.epoch) { $0.complete($1.sequence) }
    }

    /// Frees the places of those that `end` ends.
    private func free<Item>(
        _ items: [Item], by epochOf: @escaping (Item) -> UInt32,
        _ end: (inout PartitionLane<Answer>, Item) -> (bytes: Int, answer: Answer)?
    ) {
        // Kept until the lock is free: to take an answer's memory apart is more work than all that is done here.
        var dropped: [Answer] = []
        dropped.reserveCapacity(items.count)
        let isWorthWaking = state.update { state in
            var freed = 0
            for run in RunSequence(items, by: epochOf) {
                let epoch = epochOf(run[run.startIndex])
                guard let left = state.lanes[epoch]?.free(run, dropping: &dropped, by: end) else { continue }
                state.gate.leave(epoch, requests: left.requests, bytes: left.bytes)
                freed += left.requests
            }
            return state.endsShortage(freed: freed, enough: placesWorthWaking)
        }
        if isWorthWaking { onRoom() }
    }

    /// Whether the assignment of the place has not ended, be it about to.
    func isCurrent(_ place: Place) -> Bool { state.withLock { $0.lanes[place.epoch] != nil } }

    /// Whether none of the places' assignments has ended.
    func areCurrent(_ places: [Place]) -> Bool {
        state.withLock { state in places.allSatisfy { state.lanes[$0.epoch] != nil } }
    }

    /// An answer that has been handed to the producer and is not acknowledged.
    func unacknowledgedAnswer(at place: Place) -> Answer? {
        state.withLock { $0.lanes[place.epoch]?.lane.unacknowledgedAnswer(at: place.sequence) }
    }

    /// All of them, to be produced whole by a new producer, in order within each partition.
    func allUnacknowledged() -> [(place: Place, answer: Answer)] {
        state.withLock { state in
            state.lanes.keys.flatMap { epoch in
                (state.lanes[epoch]?.lane.resend(messages: messageCount) ?? [])
                    .map { (Place(epoch: epoch, sequence: $0.sequence), $0.answer) }
            }
        }
    }

    // MARK: Flow control

    /// How many more requests of the partition may be taken now, and how many bytes.
    func room(for partition: TopicPartition) -> WindowGate<UInt32>.Limits {
        state.withLock { state in
            guard let epoch = state.epochs[partition] else { return .init(requests: 0, bytes: 0) }
            let room = state.gate.room(for: epoch)
            if room.requests == 0, state.freedInShortage == nil { state.freedInShortage = 0 }
            return room
        }
    }

    /// Whether the poll thread found no room for a partition, and will be woken when there is.
    var isShort: Bool { state.withLock { $0.freedInShortage != nil } }

    // MARK: Commits

    /// Offsets that can be committed and have not been sent yet. They are recorded as sent.
    func offsetsToCommit() -> [TopicPartitionOffset] {
        state.withLock { state in
            let epochs = Array(state.lanes.keys)
            return epochs.compactMap { state.requestCommit(of: $0) { $0.requestedCommit } }
        }
    }

    /// Offsets of partitions that are being taken away which can be committed and are not known to be: what has been sent
    /// and is not answered is sent again.
    func finalOffsetsToCommit(of partitions: [TopicPartition]) -> [TopicPartitionOffset] {
        state.withLock { state in
            let epochs = partitions.compactMap { state.epochs[$0] }
            return epochs.compactMap { state.requestCommit(of: $0) { $0.confirmedCommit } }
        }
    }

    /// What became of a commit: one that failed is sent again with the next.
    func commitEnded(_ offsets: [TopicPartitionOffset], succeeded: Bool) {
        state.withLock { state in
            for offset in offsets {
                if succeeded {
                    state.confirmCommit(offset)
                } else if let epoch = state.epochs[offset.partition], let lane = state.lanes[epoch] {
                    state.lanes[epoch]?.requestedCommit = lane.confirmedCommit
                }
            }
        }
    }

    /// The committed offset, as far as it is known: nil before the first commit of this assignment.
    func confirmedCommit(of partition: TopicPartition) -> Int64? {
        state.withLock { state in
            state.lane(of: partition).flatMap { $0.confirmedCommit < 0 ? nil : $0.confirmedCommit }
        }
    }

    /// The highest offset taken in this assignment.
    func highestOffset(of partition: TopicPartition) -> Int64? {
        state.withLock { $0.lane(of: partition)?.lane.highestOffset }
    }

    // MARK: The whole

    /// How far each assigned partition is.
    var progress: [PartitionProgress] {
        state.withLock { state in
            state.lanes.map { epoch, lane in
                PartitionProgress(
                    partition: lane.partition, epoch: epoch,
                    committed: lane.confirmedCommit < 0 ? nil : lane.confirmedCommit,
                    hasWork: lane.lane.count > 0 || (lane.lane.watermark ?? -1) > lane.confirmedCommit)
            }
        }
    }

    /// Requests and their bytes in the window.
    var occupancy: (requests: Int, bytes: Int) { state.withLock { ($0.gate.requests, $0.gate.bytes) } }
}
