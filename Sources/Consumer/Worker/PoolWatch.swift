import Messaging
import Synchronization

/// Knows what each thread of the pool is at and since when: writes it to the journal, and finds the thread that does not come
/// back.
final class PoolWatch: Sendable {
    /// How many times an image's deadline a thread may take before it counts as hung. Decoding ends by itself at the deadline;
    /// everything else takes a time that the model, and a busy machine, set: hence the least.
    static let patience = 3
    static let leastLimit = Duration.seconds(3)

    /// One thread's post: what it reports, nobody else does.
    final class Post: Sendable {
        fileprivate struct State {
            /// When it entered the stage that it is in; nil between batches.
            var since: MonotonicTime?
            /// The micro-batch's requests; nil for one that has been answered.
            var messages: [KafkaMessage?] = []
            /// Of the messages, the one that is worked at; nil if it is all of them.
            var current: Int?
        }

        fileprivate let firstSlot: Int
        fileprivate let state = Mutex(State())
        private let clock: RunningClock
        private let journal: CrashJournal?

        fileprivate init(firstSlot: Int, clock: RunningClock, journal: CrashJournal?) {
            self.firstSlot = firstSlot
            self.clock = clock
            self.journal = journal
        }

        func begin(_ messages: [KafkaMessage]) {
            for (index, message) in messages.enumerated() { journal?.begin(message, slot: firstSlot + index) }
            state.withLock { $0 = State(since: clock.now, messages: messages) }
        }

        /// - Parameter index: of the message that is worked at from now on; nil for all.
        func enter(_ index: Int?) {
            state.withLock { state in
                state.since = clock.now
                state.current = index
            }
        }

        func answered(_ index: Int) {
            state.withLock { $0.messages[index] = nil }
            journal?.end(slot: firstSlot + index)
        }

        /// What has not been answered was not begun.
        func end() {
            let left = state.withLock { state in
                defer { state = State() }
                return state.messages.indices.filter { state.messages[$0] != nil }
            }
            for index in left { journal?.end(slot: firstSlot + index) }
        }
    }

    private let posts: [Post]
    private let next = Atomic(0)
    private let clock: RunningClock
    private let limit: Duration

    init(threads: Int, maximumBatch: Int, imageTimeout: Duration, clock: RunningClock, journal: CrashJournal?) {
        posts = (0..<threads).map { Post(firstSlot: $0 * maximumBatch, clock: clock, journal: journal) }
        self.clock = clock
        limit = max(imageTimeout * Self.patience, Self.leastLimit)
    }

    /// Each thread of the pool takes its post once.
    func takePost() -> Post {
        let number = next.add(1, ordering: .relaxed).oldValue
        precondition(number < posts.count, "more threads than posts")
        return posts[number]
    }

    struct Hang: Sendable {
        let slots: [Int]
        /// `topic[partition]@offset`, of which one is to blame.
        let requests: [String]
        let seconds: Double
    }

    /// A thread that has been in one stage for too long.
    func hang() -> Hang? {
        let now = clock.now
        for post in posts {
            let hang = post.state.withLock { state -> Hang? in
                guard let since = state.since, now - since > limit else { return nil }
                let suspects = state.messages.indices.filter { index in
                    state.messages[index] != nil && (state.current ?? index) == index
                }
                return Hang(
                    slots: suspects.map { post.firstSlot + $0 },
                    requests: suspects.compactMap { index in
                        state.messages[index].map { "\($0.topicPartition)@\($0.offset)" }
                    }, seconds: (now - since).seconds)
            }
            if let hang { return hang }
        }
        return nil
    }
}
