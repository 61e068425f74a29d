import CRdKafka
import Foundation
import TestSupport
import Testing

@testable import Messaging

/// Every way in and what is said at a closed door, on a real broker.
@Suite(.enabled(if: KafkaLocal.isPresent), .serialized) struct SecurityTests {
    private let kafka: SecuredKafka
    private let folder: TemporaryDirectory

    init() throws {
        kafka = try SecuredKafka.shared()
        folder = try TemporaryDirectory()
    }

    private func configuration(
        _ servers: String, _ properties: [String], password: String? = nil
    ) throws -> KafkaConfiguration {
        var configuration = KafkaConfiguration(bootstrapServers: servers)
        try configuration.passThrough(properties)
        if let password { try configuration.setSecret("sasl.password", password) }
        return configuration
    }

    private var authority: String { "ssl.ca.location=\(kafka.certificateAuthority.path)" }

    /// Brokers answer.
    private func enter(_ configuration: KafkaConfiguration) throws {
        let metadata = try KafkaAdmin(configuration).metadata(timeout: .seconds(30))
        #expect(metadata.brokerCount == 1)
    }

    /// The door stays closed; returns what is to be done about it.
    private func refusal(_ configuration: KafkaConfiguration) throws -> String {
        let start = ContinuousClock.now
        let error = try #require(
            #expect(throws: KafkaError.self) { try KafkaAdmin(configuration).metadata(timeout: .seconds(60)) })
        #expect(error.category == .authentication, "\(error)")
        #expect(ContinuousClock.now - start < .seconds(30))
        return try #require(configuration.remedy(for: error))
    }

    private func plain(_ user: String, _ servers: String, _ password: String) throws -> KafkaConfiguration {
        let isOverTLS = servers == kafka.saslOverTLS
        return try configuration(
            servers,
            [
                "security.protocol=\(isOverTLS ? "SASL_SSL" : "SASL_PLAINTEXT")", "sasl.mechanism=PLAIN",
                "sasl.username=\(user)",
            ] + (isOverTLS ? [authority] : []), password: password)
    }

    @Test func passwordsOverTLS() throws {
        let user = SecuredKafka.newUser()
        try enter(plain(user, kafka.saslOverTLS, SecuredKafka.password(of: user)))
        let remedy = try refusal(plain(user, kafka.saslOverTLS, "wrong"))
        #expect(remedy.contains("KAPTION_SECRET_SASL_PASSWORD"))
        #expect(remedy.contains(user))
    }

    @Test func anAuthorityThatIsNotTrusted() throws {
        let user = SecuredKafka.newUser()
        let other = try kafka.clientCertificate("other", in: folder, isTrusted: false).certificate
        var configuration = try plain(user, kafka.saslOverTLS, SecuredKafka.password(of: user))
        configuration.set("ssl.ca.location", other.path)
        #expect(try refusal(configuration).contains("ssl.ca.location"))
    }

    @Test func clientCertificates() throws {
        func client(_ files: (key: URL, certificate: URL)?) throws -> KafkaConfiguration {
            let own = files.map {
                ["ssl.key.location=\($0.key.path)", "ssl.certificate.location=\($0.certificate.path)"]
            }
            return try configuration(
                kafka.clientCertificates, ["security.protocol=SSL", authority] + (own ?? []))
        }
        try enter(client(kafka.clientCertificate("captions", in: folder)))
        #expect(try refusal(client(nil)).contains("ssl.certificate.location"))
        let stranger = try kafka.clientCertificate("stranger", in: folder, isTrusted: false)
        #expect(try refusal(client(stranger)).contains("ssl.certificate.location"))
    }

    /// librdkafka before 2.6.1 cannot do SCRAM with brokers of Kafka 4.0 and later; then the message has to say so.
    @Test(arguments: ["SCRAM-SHA-256", "SCRAM-SHA-512"]) func scram(mechanism: String) throws {
        let user = "scram-\(UUID().uuidString.prefix(8))"
        try kafka.addScramUser(user, password: "Scram-password-1")
        func client(_ password: String) throws -> KafkaConfiguration {
            try configuration(
                kafka.sasl,
                ["security.protocol=SASL_PLAINTEXT", "sasl.mechanism=\(mechanism)", "sasl.username=\(user)"],
                password: password)
        }
        if rd_kafka_version() >= 0x0206_01ff {
            try enter(client("Scram-password-1"))
        } else {
            #expect(try refusal(client("Scram-password-1")).contains("2.6.1"))
        }
        #expect(try refusal(client("wrong")).contains(user))
    }

    @Test func aMechanismThatIsNotOffered() throws {
        let configuration = try configuration(
            kafka.clientCertificates,
            ["security.protocol=SASL_SSL", authority, "sasl.mechanism=PLAIN", "sasl.username=u"],
            password: "p")
        // A listener without SASL answers like one of another protocol.
        #expect(throws: KafkaError.self) { try KafkaAdmin(configuration).metadata(timeout: .seconds(3)) }
    }

    @Test func theWrongProtocolSaysSo() throws {
        let error = try #require(
            #expect(throws: KafkaError.self) {
                try KafkaAdmin(KafkaConfiguration(bootstrapServers: kafka.sasl)).metadata(timeout: .seconds(3))
            })
        #expect(error.category == .unreachable)
        #expect(error.message.contains("security.protocol"))
    }

    private func tokenClient(_ token: String?) throws -> KafkaConfiguration {
        if let token { try folder.write("token", Data(token.utf8)) }
        var configuration = try configuration(kafka.sasl, ["security.protocol=SASL_PLAINTEXT"])
        try configuration.setTokenFile(OAuthTokenFile(path: folder.url.appendingPathComponent("token").path))
        return configuration
    }

    @Test func tokens() throws {
        try enter(tokenClient(unsecuredToken(subject: "bearer", lifetime: 60)))
        // The brokers look for a subject.
        #expect(try refusal(tokenClient(unsecuredToken(subject: nil, lifetime: 60))).contains("/token"))
        #expect(try refusal(tokenClient(unsecuredToken(subject: "bearer", lifetime: -10))).contains("expired"))
        try FileManager.default.removeItem(at: folder.url.appendingPathComponent("token"))
        #expect(try refusal(tokenClient(nil)).contains("/token"))
    }

    /// Connections end with their token; clients go on with the next.
    @Test func tokensAreRenewedInMidRun() throws {
        let topic = "tokens-\(UUID().uuidString.prefix(8))"
        let user = "bearer-\(topic)"
        _ = try KafkaAdmin(KafkaConfiguration(bootstrapServers: kafka.bootstrapServers)).ensureTopics(
            [TopicSpecification(topic, partitions: 1)], timeout: .seconds(30))
        try kafka.accessControl.grant([.init(.write, .topic(topic))], to: user)
        let configuration = try tokenClient(unsecuredToken(subject: user, lifetime: 4))
        let admin = try KafkaAdmin(configuration)
        // Brokers take a moment to learn of an ACL.
        let isGranted = eventually {
            (try? admin.checkAccess(topics: [topic], group: nil, timeout: .seconds(5))) != nil
        }
        #expect(isGranted)
        let reports = Collected<DeliveryReport>()
        let producer = try KafkaProducer(configuration) { reports.append($0) }
        let end = ContinuousClock.now + .seconds(14)
        var sent = 0
        while ContinuousClock.now < end {
            // As a sidecar would, some time before the old one ends.
            try folder.write("token", Data(unsecuredToken(subject: user, lifetime: 4).utf8))
            for _ in 0..<10 {
                try producer.produce(topic: topic, value: [1])
                sent += 1
                producer.flush(timeout: .milliseconds(100))
            }
        }
        // Nobody renews it from here on.
        try folder.write("token", Data(unsecuredToken(subject: user, lifetime: 60).utf8))
        #expect(producer.close(deadline: .seconds(30)))
        #expect(reports.values.count == sent)
        #expect(reports.values.allSatisfy { $0.error == nil })
    }

    @Test func whatMayNotBeSeenIsToldFromWhatIsMissing() throws {
        let user = SecuredKafka.newUser()
        let name = "access-\(UUID().uuidString.prefix(8))"
        let root = try KafkaAdmin(KafkaConfiguration(bootstrapServers: kafka.bootstrapServers))
        _ = try root.ensureTopics([TopicSpecification(name, partitions: 1)], timeout: .seconds(30))
        let admin = try KafkaAdmin(plain(user, kafka.sasl, SecuredKafka.password(of: user)))
        func refused(_ topics: [String], _ group: String? = nil) -> KafkaError? {
            do {
                try admin.checkAccess(topics: topics, group: group, timeout: .seconds(20))
                return nil
            } catch {
                return error as? KafkaError
            }
        }
        #expect(refused([name])?.category == .authorization)
        #expect(refused([name])?.message.contains(name) == true)
        try kafka.accessControl.grant([.init(.read, .topic(name))], to: user)
        #expect(eventually { refused([name]) == nil })
        #expect(refused([name], "group-\(name)")?.name == "GROUP_AUTHORIZATION_FAILED")
        try kafka.accessControl.grant([.init(.read, .group("group-\(name)"))], to: user)
        #expect(eventually { refused([name], "group-\(name)") == nil })

        // Asking for a topic does not make it, though these brokers would.
        try root.checkAccess(topics: [name + ".missing"], group: nil, timeout: .seconds(20))
        #expect(try root.metadata(timeout: .seconds(20)).partitionCounts[name + ".missing"] == nil)
    }
}
