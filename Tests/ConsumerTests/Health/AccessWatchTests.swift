import Foundation
import Telemetry
import TestSupport
import Testing

@testable import Consumer
@testable import Messaging

@Suite("Refusals that the worker hears of") struct AccessWatchTests {
    private let readiness = Readiness(logger: Logger(label: "test", form: "text", level: "critical"))
    private let folder: TemporaryDirectory
    private let watch: AccessWatch

    init() throws {
        folder = try TemporaryDirectory()
        var configuration = KafkaConfiguration(bootstrapServers: "127.0.0.1:1")
        try configuration.passThrough("security.protocol", "SASL_PLAINTEXT")
        try configuration.setTokenFile(OAuthTokenFile(path: folder.url.appendingPathComponent("token").path))
        watch = AccessWatch(
            configuration: configuration,
            rights: WorkerRights(group: "g", requests: ["t"], results: "r", deadLetters: "d"), readiness: readiness,
            logger: Logger(label: "test", form: "text", level: "critical"))
    }

    private func issueToken(to subject: String) throws {
        try folder.write("token", Data(unsecuredToken(subject: subject, lifetime: 60).utf8))
    }

    private var reason: String { readiness.unmet.first { $0.condition == .access }?.reason ?? "" }

    private func error(_ name: String, _ category: KafkaError.Category) -> KafkaError {
        KafkaError(code: 0, name: name, message: "", category: category, isFatal: false, isRetriable: false)
    }

    @Test("the reason says what to do; a storm of refusals reads the token's file once")
    func storm() throws {
        #expect(readiness.holds(.access))
        try issueToken(to: "first")
        watch.take(error("GROUP_AUTHORIZATION_FAILED", .authorization), of: .consumer)
        #expect(reason.hasPrefix("GROUP_AUTHORIZATION_FAILED: User:first lacks an ACL: Read group g"))
        try issueToken(to: "second")
        readiness.meet(.access)
        watch.take(error("GROUP_AUTHORIZATION_FAILED", .authorization), of: .consumer)
        #expect(reason.contains("User:first"), "what was found out for the first is told again")
        watch.take(error("TOPIC_AUTHORIZATION_FAILED", .authorization), of: .producer)
        #expect(reason.contains("User:second") && reason.contains("Write topic r"))
    }

    @Test("an outage is no refusal")
    func outage() {
        watch.take(error("_TRANSPORT", .unreachable), of: .consumer)
        #expect(readiness.holds(.access))
    }
}
