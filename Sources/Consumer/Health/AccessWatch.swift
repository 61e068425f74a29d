import Messaging
import Synchronization
import Telemetry

/// Tells Kafka's refusals from outages while the worker runs, and finds out when they are over.
///
/// A password that was changed, an ACL that was taken away or a token that nobody renews is no reason to end: Kafka's clients
/// go on trying. But it does not pass by itself either, so each is logged as an error with what to fix, and readiness goes
/// until the brokers let this worker in again.
///
/// Any thread may report errors. A thread of its own (`run`) asks the brokers, with a new client each time, while there
/// is a refusal (`Refusals` says when), and only then.
final class AccessWatch: Sendable {
    private let configuration: KafkaConfiguration
    private let rights: WorkerRights
    private let readiness: Readiness
    private let logger: Logger
    private let limiter = LogLimiter(interval: .seconds(30))
    /// By kind of refusal, the last that was logged.
    private let reasons = Mutex<[String: String]>([:])
    private let refusals = Monitor(Refusals())

    init(configuration: KafkaConfiguration, rights: WorkerRights, readiness: Readiness, logger: Logger) {
        self.configuration = configuration
        self.rights = rights
        self.readiness = readiness
        self.logger = logger
    }

    /// Takes a refusal that a client of the worker met. It does not wait for anybody; now and then a token's file is read.
    func take(_ error: KafkaError, of kind: KafkaClientKind) {
        guard error.isRefusal else { return }
        let name = "\(error.name) \(kind)"
        if let suppressed = limiter.admit(name) { log(error, of: kind, named: name, suppressed: suppressed) }
        let reason = reasons.withLock { $0[name] } ?? error.name
        // The condition is set with the lock held, so that no answer from before overrules a refusal.
        refusals.update { refusals in
            refusals.add(at: .now)
            readiness.miss(.access, because: reason)
        }
    }

    /// Works until the process ends.
    func run() -> Never {
        while true {
            waitForQuestion()
            let isAdmitted = mayEnter()
            refusals.withLock { refusals in
                if refusals.answer(isAdmitted: isAdmitted, at: .now) { readiness.meet(.access) }
            }
        }
    }

    private func log(_ error: KafkaError, of kind: KafkaClientKind, named name: String, suppressed: Int) {
        let needed = kind == .consumer ? rights.reading : rights.writing
        let remedy = configuration.remedy(for: error, needing: needed) ?? ""
        reasons.withLock { $0[name] = "\(error.name): \(remedy)" }
        logger.error(
            "Kafka refuses this worker",
            metadata: [
                "error": .string("\(error)"), "remedy": .string(remedy), "suppressed": .integer(suppressed),
            ])
    }

    private func waitForQuestion() {
        refusals.wait { refusals -> Monitor<Refusals>.Step<Void> in
            guard let time = refusals.nextQuestion else { return .wait }
            guard MonotonicTime.now >= time else { return .waitUntil(time) }
            refusals.ask(at: .now)
            return .finish(())
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
