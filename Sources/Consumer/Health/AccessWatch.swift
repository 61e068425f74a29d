import Messaging
import Telemetry

/// Tells Kafka's refusals from outages while the worker runs, and finds out when they are over.
///
/// A password that was changed, an ACL that was taken away or a token that nobody renews is no reason to end: Kafka's clients
/// go on trying. But it does not pass by itself either, so each is logged as an error with what to fix, and readiness goes
/// until the brokers let this worker in again.
///
/// Any thread may report errors. A thread of its own (`run`) asks the brokers, with a new client each time, while there
/// is a refusal, and only then.
final class AccessWatch: Sendable {
    private enum State: Sendable {
        case admitted
        /// The number tells one refusal from the next.
        case refused(Int)
        case closed
    }

    private let configuration: KafkaConfiguration
    private let rights: WorkerRights
    private let readiness: Readiness
    private let logger: Logger
    private let limiter = LogLimiter(interval: .seconds(30))
    private let interval: Duration
    private let state = Monitor(State.admitted)

    /// - Parameter interval: between two questions.
    init(
        configuration: KafkaConfiguration, rights: WorkerRights, readiness: Readiness, logger: Logger,
        interval: Duration = .seconds(5)
    ) {
        self.configuration = configuration
        self.rights = rights
        self.readiness = readiness
        self.logger = logger
        self.interval = interval
    }

    /// Takes a refusal that a client of the worker met. Never blocks.
    func take(_ error: KafkaError, of kind: KafkaClientKind) {
        let needed = kind == .consumer ? rights.reading : rights.writing
        guard let remedy = configuration.remedy(for: error, needing: needed) else { return }
        if let suppressed = limiter.admit("\(error.name) \(kind)") {
            logger.error(
                "Kafka refuses this worker",
                metadata: [
                    "error": .string("\(error)"), "remedy": .string(remedy), "suppressed": .integer(suppressed),
                ])
        }
        readiness.miss(.access, because: "\(error.name): \(remedy)")
        state.update { state in
            switch state {
            case .admitted: state = .refused(1)
            case .refused(let number): state = .refused(number &+ 1)
            case .closed: break
            }
        }
    }

    /// Works until `close`.
    func run() {
        while let refusal = waitForRefusal() {
            guard mayEnter() else { continue }
            let isOver = state.update { state in
                guard case .refused(refusal) = state else { return false }
                state = .admitted
                return true
            }
            if isOver { readiness.meet(.access) }
        }
    }

    func close() { state.update { $0 = .closed } }

    /// The refusal that was the last when the interval since the previous question was over; nil after `close`.
    private func waitForRefusal() -> Int? {
        let due = MonotonicTime.now + interval
        return state.wait { state in
            switch state {
            case .closed: .finish(nil)
            case .admitted: .wait
            case .refused(let number): MonotonicTime.now >= due ? .finish(number) : .waitUntil(due)
            }
        }
    }

    private func mayEnter() -> Bool {
        do {
            let admin = try KafkaAdmin(configuration)
            try admin.checkAccess(topics: rights.topics, group: rights.group, timeout: .seconds(5))
            return true
        } catch {
            return false
        }
    }
}

/// What this worker uses of Kafka.
struct WorkerRights: Sendable {
    var group: String
    var requests: [String]
    var results: String
    var deadLetters: String
    /// Of exactly-once delivery.
    var transactionalID: String?

    var topics: [String] { requests + [results, deadLetters] }

    var reading: [KafkaRight] { requests.map { .readTopic($0) } + [.readGroup(group)] }

    var writing: [KafkaRight] {
        [.writeTopic(results), .writeTopic(deadLetters)] + (transactionalID.map { [.useTransactionalID($0)] } ?? [])
            + (transactionalID == nil ? [] : [.readGroup(group)])
    }

    var creating: [KafkaRight] { topics.map { .createTopic($0) } }
}
