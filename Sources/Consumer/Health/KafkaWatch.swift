import Messaging

/// Knows whether Kafka can be reached, and sets the condition `kafka` by it: asks the brokers now and then, at once when a
/// client reports an error that may be an outage, and each second while there is one.
///
/// Asked, because librdkafka tells of an outage late (a broker that is frozen only after a minute) and of its end not at all.
final class KafkaWatch: Sendable {
    private let admin: KafkaAdmin
    private let readiness: Readiness
    private let isSuspected = Monitor(false)

    private static let interval = Duration.seconds(10)
    private static let intervalOfOutage = Duration.seconds(1)
    private static let patience = Duration.seconds(5)

    init(admin: KafkaAdmin, readiness: Readiness) {
        self.admin = admin
        self.readiness = readiness
    }

    /// A client reported an error that may be an outage. Never blocks.
    func suspect() { isSuspected.update { $0 = true } }

    /// Asks for as long as the process lives; on a thread of its own.
    func run() {
        while true {
            let isReachable = readiness.holds(.kafka)
            let end = MonotonicTime.now + (isReachable ? Self.interval : Self.intervalOfOutage)
            _ = isSuspected.wait(until: end) { isReachable && $0 }
            isSuspected.update { $0 = false }
            do {
                try admin.probe(timeout: Self.patience)
                readiness.meet(.kafka)
            } catch {
                readiness.miss(.kafka, because: "\(error)")
            }
        }
    }
}
