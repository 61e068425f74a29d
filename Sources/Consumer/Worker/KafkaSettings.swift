import CommandLineOptions
import Messaging
import Telemetry

extension KafkaConfiguration {
    /// How the worker's options say that Kafka is reached.
    init(_ options: ParsedOptions, logger: Logger) throws(UsageError) {
        self.init(bootstrapServers: options[SharedOptions.bootstrapServers], clientID: "kaption-worker")
        do {
            try passThrough(options[SharedOptions.properties].map { "\($0.key)=\($0.value)" }, owned: .worker)
            try takeSecrets(options.secrets)
            if let path = options[SharedOptions.oauthTokenFile] { try setTokenFile(OAuthTokenFile(path: path)) }
        } catch {
            throw UsageError((error as? KafkaError)?.message ?? "\(error)")
        }
        log = Self.logging(to: logger)
    }

    /// librdkafka's own lines: what it calls errors are mostly outages that it gets over by itself.
    private static func logging(to logger: Logger) -> @Sendable (KafkaLogLine) -> Void {
        let limiter = LogLimiter(interval: .seconds(10))
        return { line in
            // The embedded broker does not know the option, which is told every 30 s.
            if line.facility == "AUTOCREATE" { return }
            let level: Logger.Level = line.level <= 4 ? .warning : line.level == 5 ? .info : .debug
            guard level >= logger.level, let suppressed = limiter.admit(line.facility) else { return }
            logger.log(
                level: level, "librdkafka: \(line.message)",
                metadata: ["facility": .string(line.facility), "suppressed": .integer(suppressed)])
        }
    }
}
