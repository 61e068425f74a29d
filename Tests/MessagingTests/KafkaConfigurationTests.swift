import Testing

@testable import Messaging

@Suite struct KafkaConfigurationTests {
    static func refusal(_ assignment: String, owned: OwnedProperties = .worker) -> KafkaError? {
        var configuration = KafkaConfiguration(bootstrapServers: "h:1")
        do {
            try configuration.passThrough([assignment], owned: owned)
            return nil
        } catch {
            return error as? KafkaError
        }
    }

    @Test(arguments: [
        "linger.ms=50", "compression.type=lz4", "security.protocol=SASL_SSL", "ssl.ca.location=/a=b",
        "fetch.wait.max.ms=10",
    ])
    func takesWhatLibrdkafkaKnows(assignment: String) {
        #expect(Self.refusal(assignment) == nil)
    }

    @Test(arguments: [
        "", "linger.ms", "=5", "no.such.property=1", "linger.ms=soon", "compression.type=zip", "sasl.password=x",
        "ssl.key.pem=x",
    ])
    func refusesTheRest(assignment: String) {
        #expect(Self.refusal(assignment)?.category == .configuration)
    }

    @Test(arguments: OwnedProperties.worker.names) func whatTheWorkerOwnsIsRefusedWithAReason(name: String) {
        let error = Self.refusal("\(name)=1")
        #expect(error?.category == .configuration)
        #expect((OwnedProperties.worker.reason(for: name) ?? "").count > 5)
        #expect(error?.message.contains(OwnedProperties.worker.reason(for: name) ?? "-") == true)
    }

    @Test func aProducerMayChooseItsTimeout() {
        #expect(Self.refusal("message.timeout.ms=1000", owned: .producer) == nil)
        #expect(Self.refusal("message.timeout.ms=1000", owned: .worker) != nil)
        #expect(Self.refusal("acks=1", owned: .producer) != nil)
    }

    @Test func onlySecretsAreTakenAsSecrets() throws {
        var configuration = KafkaConfiguration(bootstrapServers: "h:1")
        try configuration.takeSecrets(["sasl-password": "hunter2", "ssl.key.password": "hunter3"])
        #expect(configuration.properties["sasl.password"] == "hunter2")
        #expect(configuration.properties["ssl.key.password"] == "hunter3")
        #expect(throws: KafkaError.self) { try configuration.takeSecrets(["linger-ms": "5"]) }
    }

    @Test func aRefusedSecretIsNotRepeated() {
        let error = Self.refusal("sasl.password=hunter2")
        #expect(error?.message.contains("hunter2") == false)
        #expect(error?.message.contains("KAPTION_SECRET_SASL_PASSWORD") == true)
    }

    /// The defaults are properties that librdkafka knows, in combinations that it takes.
    @Test func clientsAreMadeFromTheDefaults() throws {
        let configuration = KafkaConfiguration(bootstrapServers: "127.0.0.1:1")
        let consumer = try KafkaConsumer(configuration, groupID: "g", instanceID: "i")
        #expect(consumer.close(deadline: .seconds(5)))
        let producer = try KafkaProducer(configuration, onDelivery: { _ in })
        #expect(producer.close(deadline: .seconds(5)))
        #expect(throws: KafkaError.self) {
            try KafkaProducer(configuration, properties: ["acks": "1"], onDelivery: { _ in })
        }
    }

    @Test func logLinesGoToTheSink() throws {
        let lines = Collected<KafkaLogLine>()
        var configuration = KafkaConfiguration(bootstrapServers: "127.0.0.1:1")
        configuration.set("debug", "broker")
        configuration.set("linger.ms", "7")
        configuration.log = { lines.append($0) }
        let consumer = try KafkaConsumer(configuration, groupID: "g")
        _ = consumer.poll(timeoutMilliseconds: 50)
        #expect(!lines.values.isEmpty)
        #expect(!lines.values.contains { $0.message.contains("will be ignored") })
        #expect(consumer.close(deadline: .seconds(5)))
    }
}
