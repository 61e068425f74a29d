/// Properties that a program keeps to itself, each with the reason given to who tries to set it by `-X`.
public struct OwnedProperties: Sendable {
    private let reasons: [String: String]

    public init(_ reasons: [String: String]) { self.reasons = reasons }

    public func reason(for name: String) -> String? { reasons[name] }

    public var names: [String] { reasons.keys.sorted() }

    public func merging(_ others: [String: String]) -> OwnedProperties {
        OwnedProperties(reasons.merging(others) { $1 })
    }

    /// What no program of Kaption lets be set by `-X`.
    public static let common = OwnedProperties([
        "bootstrap.servers": "use --bootstrap-servers",
        "metadata.broker.list": "use --bootstrap-servers",
        "statistics.interval.ms": "it is set with the metrics",
        "enable.random.seed": "it has no effect here",
        "log.queue": "logs are already taken over",
        "log.thread.name": "logs are already taken over",
        "plugin.library.paths": "loading code into the process is not offered",
        "test.mock.num.brokers": "use kaption-broker",
    ])

    /// What every producer of Kaption relies on.
    private static let production = [
        "enable.idempotence": "results and requests are produced idempotently: no repeats and no reordering by retries",
        "acks": "nothing counts as delivered before all in-sync replicas have it",
        "request.required.acks": "nothing counts as delivered before all in-sync replicas have it",
        "max.in.flight": "the idempotent producer needs at most 5",
        "max.in.flight.requests.per.connection": "the idempotent producer needs at most 5",
        "delivery.report.only.error": "every delivery is counted",
        "enable.gapless.guarantee": "a failure to deliver is handled by the program",
    ]

    /// For a program that only produces (`kaption-enqueue`).
    public static let producer = common.merging(production)

    /// What a worker's guarantees stand on.
    public static let worker = producer.merging([
        "group.id": "use --group",
        "group.instance.id": "use --instance-id",
        "transactional.id": "use --delivery exactly-once and --instance-id",
        "enable.auto.commit": "an offset is committed only after its result is safe in Kafka",
        "auto.commit.interval.ms": "an offset is committed only after its result is safe in Kafka",
        "auto.commit.enable": "an offset is committed only after its result is safe in Kafka",
        "enable.auto.offset.store": "an offset is committed only after its result is safe in Kafka",
        "offset.store.method": "offsets are kept by the brokers",
        "auto.offset.reset": "requests lost to retention must be seen and counted, not skipped",
        "isolation.level": "requests of aborted transactions must not be answered",
        "partition.assignment.strategy": "the worker has an option of its own for it",
        "message.timeout.ms": "a result is kept until Kafka takes it, however long it is away",
        "delivery.timeout.ms": "a result is kept until Kafka takes it, however long it is away",
        "transaction.timeout.ms": "the worker has its own, 10 s",
        "enable.partition.eof": "the worker has no use for it",
        "allow.auto.create.topics": "topics are made and checked at start",
    ])
}

/// Properties that hold a secret: never taken from a command line, never shown.
public enum SecretProperties {
    public static let names = [
        "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config", "sasl.password", "ssl.key.password", "ssl.key.pem",
        "ssl.keystore.password",
    ]

    public static func contains(_ name: String) -> Bool { names.contains(name) }

    /// The environment variable that gives it: `sasl.password` is `KAPTION_SECRET_SASL_PASSWORD`.
    public static func environmentName(of name: String) -> String {
        "KAPTION_SECRET_" + name.uppercased().replacing(".", with: "_")
    }
}
