import CRdKafka

/// What to do about a refusal, for the person who reads the log.
extension KafkaConfiguration {
    /// What to fix; nil for an error that is no refusal.
    ///
    /// - Parameter rights: what the program was about to use; those that fit the error are named, with the command that
    ///   grants them.
    public func remedy(for error: KafkaError, needing rights: [KafkaRight] = []) -> String? {
        switch error.category {
        case .authentication: authenticationRemedy(for: error.message)
        case .authorization: authorizationRemedy(for: error, rights)
        default: nil
        }
    }

    private func authorizationRemedy(for error: KafkaError, _ rights: [KafkaRight]) -> String {
        let fitting = rights.filter { isMissing($0, in: error) }
        let named = fitting.filter { right in
            guard let topic = right.topic else { return true }
            return topic == error.partition?.topic || error.message.contains(topic)
        }
        // The brokers may name a topic that the program only met on its way.
        let missing = named.isEmpty ? fitting.map { $0.naming(error.partition?.topic) } : named
        guard !missing.isEmpty else { return "grant \(principal) the ACLs that Kaption's manual names" }
        let commands = missing.map { "kafka-acls --add --allow-principal \(principal) \($0.arguments)" }
        return "\(principal) lacks an ACL: \(missing.map(\.description).joined(separator: ", or ")); grant it by: "
            + commands.joined(separator: "; ")
    }

    private func isMissing(_ right: KafkaRight, in error: KafkaError) -> Bool {
        switch (error.name, right) {
        case ("GROUP_AUTHORIZATION_FAILED", .readGroup), ("TRANSACTIONAL_ID_AUTHORIZATION_FAILED", .useTransactionalID):
            true
        case ("TOPIC_AUTHORIZATION_FAILED", .readTopic), ("TOPIC_AUTHORIZATION_FAILED", .writeTopic),
            ("TOPIC_AUTHORIZATION_FAILED", .createTopic):
            true
        // An idempotent producer needs the right to write to any topic at all, or IdempotentWrite on the cluster.
        case ("CLUSTER_AUTHORIZATION_FAILED", .writeTopic), ("CLUSTER_AUTHORIZATION_FAILED", .createTopic): true
        default: false
        }
    }

    private func authenticationRemedy(for message: String) -> String {
        let text = message.lowercased()
        if text.contains("certificate verify failed") {
            return "the brokers' certificate is not trusted, or is for other names: name its authority by "
                + "-X ssl.ca.location=FILE, and reach the brokers by a name that the certificate has"
        }
        if text.contains("alert") {
            return "the brokers refuse this client's certificate, or there is none: give one that they trust by "
                + "-X ssl.certificate.location=FILE -X ssl.key.location=FILE"
        }
        if text.contains("mechanism handshake failed") || text.contains("unsupported") {
            return "set -X sasl.mechanism to one that the brokers support"
        }
        if let tokenFile {
            return
                "the token in \(tokenFile.path) is missing, expired or refused: whoever issues it should look at its "
                + "issuer, audience, subject and expiry"
        }
        return passwordRemedy
    }

    private var passwordRemedy: String {
        let mechanism = properties["sasl.mechanism"] ?? properties["sasl.mechanisms"] ?? "GSSAPI"
        var text =
            "look at -X sasl.username (\(properties["sasl.username"] ?? "not set")) and at its password "
            + "(\(SecretProperties.environmentName(of: "sasl.password")), or --secrets)"
        // librdkafka before 2.6.1 repeats its nonce in the last SCRAM message, which brokers of Kafka 4.0 and later check.
        if mechanism.hasPrefix("SCRAM"), rd_kafka_version() < 0x0206_01ff {
            text +=
                "; brokers of Kafka 4.0 and later refuse the SCRAM of this machine's librdkafka "
                + "\(String(cString: rd_kafka_version_str())) whatever the password: install 2.6.1 or later, or use "
                + "another mechanism"
        }
        return text
    }

    /// How ACLs name this client, as far as it can know.
    private var principal: String {
        if let tokenFile { return "User:\((try? tokenFile.token())?.principal ?? "<the token's subject>")" }
        if let name = properties["sasl.username"] { return "User:\(name)" }
        let usesCertificate =
            properties["ssl.certificate.location"] != nil || properties["ssl.keystore.location"] != nil
        return usesCertificate ? "User:<the certificate's subject>" : "User:ANONYMOUS"
    }
}
