import CRdKafka
import TestSupport
import Testing

@testable import Messaging

@Suite struct KafkaErrorTests {
    @Test func configurationIsNotAccess() {
        let error = KafkaError.configuration("no")
        #expect(error.category == .configuration)
        #expect(!error.isAccess)
    }

    /// Texts as librdkafka 2.0.2 with OpenSSL 3 gave them, from brokers in each of these states.
    @Test(arguments: [
        (RD_KAFKA_RESP_ERR__SSL, "SSL handshake failed: error:0A000126:SSL routines::unexpected eof while reading"),
        (RD_KAFKA_RESP_ERR__SSL, "No further error information available (after 0ms in state SSL_HANDSHAKE)"),
        (RD_KAFKA_RESP_ERR__TRANSPORT, "Connect to ipv4#127.0.0.1:9 failed: Connection refused"),
        (RD_KAFKA_RESP_ERR__TRANSPORT, "Disconnected while requesting ApiVersion"),
        (
            RD_KAFKA_RESP_ERR__AUTHENTICATION,
            "SASL authentication error: SaslAuthenticateRequest failed: Local: Broker transport failure"
        ),
        (
            RD_KAFKA_RESP_ERR__AUTHENTICATION,
            "SASL PLAIN mechanism handshake failed: Local: Timed out: broker's supported mechanisms: "
        ),
        (RD_KAFKA_RESP_ERR__RESOLVE, "Failed to resolve 'kafka:9092': Temporary failure in name resolution"),
        (RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "1/1 brokers are down"), (RD_KAFKA_RESP_ERR__TIMED_OUT, "Timed out"),
        (RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, "Message timed out"), (RD_KAFKA_RESP_ERR__WAIT_COORD, "Waiting"),
    ])
    func outagesAreTold(code: rd_kafka_resp_err_t, message: String) {
        let error = KafkaError(code, message)
        #expect(error.category == .unreachable)
        #expect(error.isRetriable)
    }

    @Test(arguments: [
        (
            RD_KAFKA_RESP_ERR__SSL,
            "SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker certificate could not be "
                + "verified"
        ),
        (
            RD_KAFKA_RESP_ERR__TRANSPORT,
            "Receive failed: error:0A000412:SSL routines::sslv3 alert bad certificate: SSL alert number 42"
        ),
        (
            RD_KAFKA_RESP_ERR__SSL,
            "SSL handshake failed: error:0A00042E:SSL routines::tlsv1 alert protocol version: SSL alert number 70"
        ),
        (
            RD_KAFKA_RESP_ERR__AUTHENTICATION,
            "SASL authentication error: Authentication failed: Invalid username or password"
        ),
        (RD_KAFKA_RESP_ERR__AUTHENTICATION, "SASL authentication error: {\"status\":\"invalid_token\"}"),
        (RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, "Broker: SASL Authentication failed"),
    ])
    func refusalsAreTold(code: rd_kafka_resp_err_t, message: String) {
        let error = KafkaError(code, message)
        #expect(error.category == .authentication)
        #expect(!error.isRetriable)
        #expect(KafkaConfiguration(bootstrapServers: "h:1").remedy(for: error) != nil)
    }

    @Test func whatPassesByItselfIsRetriable() {
        for code in [
            RD_KAFKA_RESP_ERR_NOT_CONTROLLER, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
            RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, RD_KAFKA_RESP_ERR_UNKNOWN,
        ] {
            #expect(KafkaError(code).isRetriable)
            #expect(!KafkaError(code, isFatal: true).isRetriable)
        }
        #expect(!KafkaError(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED).isRetriable)
    }

    @Test func aMissingRightIsNamedWithTheCommandThatGrantsIt() throws {
        var configuration = KafkaConfiguration(bootstrapServers: "h:1")
        configuration.set("sasl.username", "worker")
        let rights: [KafkaRight] = [.readTopic("in"), .writeTopic("out"), .readGroup("g"), .useTransactionalID("x")]
        func remedy(_ code: rd_kafka_resp_err_t, _ message: String? = nil) -> String? {
            configuration.remedy(for: KafkaError(code, message), needing: rights)
        }
        let topic = try #require(
            remedy(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "Subscribed topic not available: in"))
        #expect(topic.contains("kafka-acls --add --allow-principal User:worker --operation Read --topic in"))
        #expect(!topic.contains("--topic out"))
        #expect(remedy(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED)?.contains("--operation Read --group g") == true)
        #expect(
            remedy(RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED)?.contains("--transactional-id x") == true)
        #expect(
            remedy(RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED)?.contains("--operation Write --topic out") == true)
        #expect(remedy(RD_KAFKA_RESP_ERR__TRANSPORT) == nil)
    }

    /// What brokers with SASL gave a client without, when its second request found the connection ended; and librdkafka's own words.
    @Test func aWrongProtocolIsGuessedAt() {
        func message(_ text: String) -> String {
            KafkaError(RD_KAFKA_RESP_ERR__TRANSPORT, text).explainedAsAtStart.message
        }
        #expect(
            message("h:1/bootstrap: Send failed: Broken pipe (after 0ms in state UP)").contains("security.protocol"))
        let own = "h:1/bootstrap: Disconnected: verify that security.protocol is correctly configured"
        #expect(message(own) == own)
        let refused = "h:1/bootstrap: Connect to ipv4#127.0.0.1:9 failed: Connection refused"
        #expect(message(refused) == refused)
    }

    /// Whatever librdkafka calls it.
    @Test(arguments: ["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"])
    func aConnectionThatEndsAtOnceIsAnOutage(security: String) throws {
        let server = try ClosingServer()
        var configuration = KafkaConfiguration(bootstrapServers: "127.0.0.1:\(server.port)")
        try configuration.passThrough(["security.protocol=\(security)", "sasl.mechanism=PLAIN", "sasl.username=u"])
        try configuration.setSecret("sasl.password", "p")
        let error = #expect(throws: KafkaError.self) { try KafkaAdmin(configuration).metadata(timeout: .seconds(2)) }
        #expect(error?.category == .unreachable, "\(String(describing: error))")
    }
}
