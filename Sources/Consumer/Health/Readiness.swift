import Synchronization
import Telemetry

/// Whether the worker can do its work now: a few conditions, each set by the part of the worker that knows it.
///
/// ```swift
/// readiness.miss(.storage, because: "the storage directory is another one than at start")
/// readiness.meet(.storage)
/// ```
///
/// Any thread may set a condition, as often as it likes: only a change is logged, once when a condition goes and once when it is
/// back.
final class Readiness: Sendable {
    /// The names are the contract of `/readyz` and of the metrics.
    enum Condition: String, Sendable, CaseIterable {
        /// Each pool thread has made its first caption.
        case modelWarm = "model_warm"
        /// The group's coordinator has given this worker its partitions, be they none.
        case groupJoined = "group_joined"
        /// The storage directory is there, and is the one of the start.
        case storage
        /// The circuit breaker is closed.
        case breaker
        /// A broker answers.
        case kafka
        /// Kafka has not refused this worker: its password, certificate, token or an ACL.
        case access
    }

    /// A condition that does not hold.
    struct Unmet: Sendable, Equatable {
        let condition: Condition
        /// For a person.
        let reason: String
        let since: MonotonicTime
    }

    private struct State {
        var unmet: [Condition: Unmet]
        var wasMet: Set<Condition> = []
        var losses: [Condition: Int] = [:]
    }

    private let logger: Logger
    private let state: Mutex<State>

    /// At first nothing holds but the breaker, which is closed, and access, which was not refused.
    init(logger: Logger) {
        self.logger = logger
        let starting = Condition.allCases.filter { $0 != .breaker && $0 != .access }.map {
            ($0, Unmet(condition: $0, reason: "the worker is starting", since: .now))
        }
        state = Mutex(State(unmet: Dictionary(uniqueKeysWithValues: starting), wasMet: [.breaker, .access]))
    }

    /// The condition holds from now on.
    func meet(_ condition: Condition) {
        let ended = state.withLock { state -> Unmet? in
            let unmet = state.unmet.removeValue(forKey: condition)
            return state.wasMet.insert(condition).inserted ? nil : unmet
        }
        guard let ended else { return }
        logger.notice(
            "\(condition.rawValue): holds again",
            metadata: [
                "condition": .string(condition.rawValue), "seconds": .number((MonotonicTime.now - ended.since).seconds),
            ])
    }

    /// The condition does not hold from now on. A later reason replaces an earlier one without a line in the log.
    func miss(_ condition: Condition, because reason: String) {
        let isLost = state.withLock { state in
            let since = state.unmet[condition]?.since
            state.unmet[condition] = Unmet(condition: condition, reason: reason, since: since ?? .now)
            guard since == nil, state.wasMet.contains(condition) else { return false }
            state.losses[condition, default: 0] += 1
            return true
        }
        guard isLost else { return }
        logger.warning(
            "\(condition.rawValue): not ready",
            metadata: ["condition": .string(condition.rawValue), "reason": .string(reason)])
    }

    func holds(_ condition: Condition) -> Bool { state.withLock { $0.unmet[condition] == nil } }

    /// What keeps the worker from being ready, in the order of the conditions' declaration; empty when it is.
    var unmet: [Unmet] {
        state.withLock { state in Condition.allCases.compactMap { state.unmet[$0] } }
    }

    /// How often the condition was met and then lost.
    func losses(of condition: Condition) -> Int { state.withLock { $0.losses[condition] ?? 0 } }
}
