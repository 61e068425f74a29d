import CRdKafka

/// What a client needs to reach Kafka and how it should behave: librdkafka's properties by name, in three layers. What the
/// program sets itself (`set`), what its user passes through (`-X key=value`, `passThrough`), and secrets (`setSecret`).
///
/// One value serves all clients of a program: each client adds its own defaults beneath (see `KafkaConsumer` and
/// `KafkaProducer`), and properties that only concern the other kind of client are ignored by librdkafka.
public struct KafkaConfiguration: Sendable {
    public private(set) var properties: [String: String] = [:]
    /// Where tokens for SASL OAUTHBEARER come from.
    private(set) var tokenFile: OAuthTokenFile?

    /// Lines of librdkafka's own log, from any of its threads. By default they are dropped.
    public var log: @Sendable (KafkaLogLine) -> Void = { _ in }
    /// librdkafka's statistics (JSON text), every `statisticsInterval`, on the thread that polls the client.
    public var statistics: (@Sendable (String) -> Void)?
    /// Hears of each refusal that a consumer or producer of this configuration meets, whoever else gets the error. It is called
    /// from any thread and must not block.
    public var onRefusal: (@Sendable (KafkaError, KafkaClientKind) -> Void)?
    public var statisticsInterval: Duration = .seconds(5)

    /// - Parameters:
    ///   - bootstrapServers: `HOST:PORT`, several separated by commas.
    ///   - clientID: how brokers name the client in their logs and quotas.
    public init(bootstrapServers: String, clientID: String = "kaption") {
        properties["bootstrap.servers"] = bootstrapServers
        properties["client.id"] = clientID
    }

    public var bootstrapServers: String { properties["bootstrap.servers"] ?? "" }

    /// Sets a property on behalf of the program. It is checked when a client is made.
    public mutating func set(_ name: String, _ value: String) { properties[name] = value }

    /// Takes the values of repeated `-X key=value` options.
    ///
    /// - Parameter owned: the properties that this program keeps to itself, with the reason that its user is told.
    /// - Throws: `KafkaError` of category `.configuration` for a missing `=`, an unknown property, a value that librdkafka
    ///   refuses, an owned property, or a secret.
    public mutating func passThrough(_ assignments: [String], owned: OwnedProperties = .common) throws {
        for assignment in assignments {
            guard let separator = assignment.firstIndex(of: "="), separator != assignment.startIndex else {
                throw KafkaError.configuration("-X takes property=value, not '\(assignment)'")
            }
            let name = String(assignment[..<separator])
            let value = String(assignment[assignment.index(after: separator)...])
            try passThrough(name, value, owned: owned)
        }
    }

    /// Takes one `-X` option that was split already.
    public mutating func passThrough(_ name: String, _ value: String, owned: OwnedProperties = .common) throws {
        if SecretProperties.contains(name) {
            throw KafkaError.configuration(
                "-X \(name) would show a secret to everyone who lists processes: put it into the environment as "
                    + "\(SecretProperties.environmentName(of: name)) or into the file of --secrets")
        }
        if let reason = owned.reason(for: name) {
            throw KafkaError.configuration("-X \(name) is refused: \(reason)")
        }
        try Self.check(name, value)
        properties[name] = value
    }

    /// Sets a secret property, e.g. `sasl.password`; it is never shown.
    ///
    /// - Throws: `KafkaError` of category `.configuration` if the property is not one that holds a secret.
    public mutating func setSecret(_ name: String, _ value: String) throws {
        guard SecretProperties.contains(name) else {
            throw KafkaError.configuration(
                "'\(name)' is not a secret property; they are \(SecretProperties.names.joined(separator: ", "))")
        }
        try Self.check(name, value, isSecret: true)
        properties[name] = value
    }

    /// Takes secrets by the names that command lines give them: `sasl-password` is `sasl.password`.
    public mutating func takeSecrets(_ secrets: [String: String]) throws {
        for (name, value) in secrets { try setSecret(name.replacing("-", with: "."), value) }
    }

    /// Authenticates with the tokens of a file (SASL OAUTHBEARER). To be called after the user's properties were taken.
    ///
    /// - Throws: `KafkaError` of category `.configuration` if they say something else.
    public mutating func setTokenFile(_ file: OAuthTokenFile) throws {
        let name = ["sasl.mechanism", "sasl.mechanisms"].first { properties[$0] != nil } ?? "sasl.mechanism"
        let mechanism = properties[name] ?? "OAUTHBEARER"
        guard mechanism == "OAUTHBEARER" else {
            throw KafkaError.configuration("a token file goes with \(name)=OAUTHBEARER, not with \(mechanism)")
        }
        guard properties["security.protocol"]?.lowercased().hasPrefix("sasl_") == true else {
            throw KafkaError.configuration("a token file needs -X security.protocol=SASL_SSL")
        }
        properties[name] = mechanism
        tokenFile = file
    }

    /// Asks librdkafka itself whether a property and its value are right.
    private static func check(_ name: String, _ value: String, isSecret: Bool = false) throws {
        guard let trial = rd_kafka_conf_new() else { return }
        defer { rd_kafka_conf_destroy(trial) }
        try set(name, value, on: trial, isSecret: isSecret)
    }

    static func set(_ name: String, _ value: String, on target: OpaquePointer, isSecret: Bool = false) throws {
        var text = [CChar](repeating: 0, count: 512)
        guard rd_kafka_conf_set(target, name, value, &text, text.count) != RD_KAFKA_CONF_OK else { return }
        let reason = isSecret ? "not accepted for \(name)" : string(ofTerminated: text)
        throw KafkaError.configuration("Kafka property \(name): \(reason)")
    }

    /// A librdkafka configuration of these properties over a client's defaults. The caller owns it.
    func makeNative(defaults: [String: String], overrides: [String: String]) throws -> OpaquePointer {
        guard let native = rd_kafka_conf_new() else { throw KafkaError.configuration("out of memory") }
        do {
            var all = defaults.merging(properties) { $1 }.merging(overrides) { $1 }
            if statistics != nil { all["statistics.interval.ms"] = String(max(1, statisticsInterval.milliseconds)) }
            for (name, value) in all.sorted(by: { $0.key < $1.key }) {
                try Self.set(name, value, on: native, isSecret: SecretProperties.contains(name))
            }
            return native
        } catch {
            rd_kafka_conf_destroy(native)
            throw error
        }
    }
}

public enum KafkaClientKind: Sendable { case consumer, producer }

/// One line of librdkafka's log.
public struct KafkaLogLine: Sendable, Equatable {
    /// syslog's levels: 0 (emergency) to 7 (debug); 3 is an error, 4 a warning, 6 information.
    public var level: Int
    /// librdkafka's short name of the kind of line, e.g. `FAIL`.
    public var facility: String
    public var message: String
}
