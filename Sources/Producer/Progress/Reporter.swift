import Messaging
import Synchronization
import Telemetry

/// What goes wrong, as log lines that keep clear of the progress bar; of a kind that repeats, a few a second at most.
final class Reporter: Sendable {
    private let logger: Logger
    private let console: Console
    private let limiter = LogLimiter(interval: .seconds(1))
    private let rejections = Atomic(0)
    private let accessFailure = Atomic(false)
    private let refusal = Atomic(false)
    private let advice = Mutex<(@Sendable (KafkaError) -> String?)?>(nil)

    /// So many rejected paths are named one by one; a longer list is cut to one a second.
    private static let namedRejections = 100

    init(logger: Logger, console: Console) {
        self.logger = logger
        self.console = console
    }

    /// Whether any request failed because Kafka was out of reach.
    var sawAccessFailure: Bool { accessFailure.load(ordering: .acquiring) }

    /// Whether Kafka refused this client: a password, a certificate, a token, a missing ACL.
    var sawRefusal: Bool { refusal.load(ordering: .acquiring) }

    /// How to find out what to fix when Kafka refuses this client; nil for other errors.
    func advise(_ advice: @escaping @Sendable (KafkaError) -> String?) { self.advice.withLock { $0 = advice } }

    func rejected(path: String, reason: String) {
        let count = rejections.wrappingAdd(1, ordering: .relaxed).newValue
        limited(
            count <= Self.namedRejections ? nil : "rejected", .error, "not enqueued",
            ["path": "\(path)", "reason": "\(reason)"])
    }

    func undelivered(image: String, error: any Error) {
        if (error as? KafkaError)?.isAccess == true { accessFailure.store(true, ordering: .releasing) }
        limited("undelivered", .error, "not delivered", metadata(of: error, ["image": "\(image)"]))
    }

    /// Why a dead letter is not replayed.
    enum Obstacle: String { case foreign, omitted, topic, room }

    func notReplayed(_ obstacle: Obstacle, deadLetter: String, request: String, reason: String) {
        limited(
            "not replayed: \(obstacle.rawValue)", .error, "not replayed",
            ["dead_letter": "\(deadLetter)", "request": "\(request)", "reason": "\(reason)"])
    }

    func kafka(_ error: KafkaError) { limited("kafka", .warning, "Kafka", metadata(of: error)) }

    /// What the program ends for.
    func unusable(_ error: any Error) { limited(nil, .critical, "Kafka cannot be used", metadata(of: error)) }

    /// The error, and what to do about it where that is known.
    private func metadata(of error: any Error, _ others: Logger.Metadata = [:]) -> Logger.Metadata {
        var metadata = others
        metadata["reason"] = "\(error)"
        if let error = error as? KafkaError, let advice = advice.withLock({ $0 })?(error) {
            metadata["remedy"] = "\(advice)"
            refusal.store(true, ordering: .releasing)
        }
        return metadata
    }

    func log(_ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata = [:]) {
        limited(nil, level, message, metadata)
    }

    private func limited(_ kind: String?, _ level: Logger.Level, _ message: String, _ metadata: Logger.Metadata) {
        var metadata = metadata
        if let kind {
            guard let suppressed = limiter.admit(kind) else { return }
            if suppressed > 0 { metadata["suppressed"] = .integer(suppressed) }
        }
        console.undisturbed { logger.log(level: level, message, metadata: metadata) }
    }
}
