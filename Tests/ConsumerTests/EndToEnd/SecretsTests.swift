import Foundation
import TestSupport
import Testing

/// Nothing that a program writes holds a secret, however much it is asked to write.
@Suite("Secrets", .serialized)
struct SecretsTests {
    private static let secret = "Pa55-cafe-babe-never-shown"

    @Test(
        "--print-config shows that a secret is set, never what it is", arguments: ["kaption-worker", "kaption-enqueue"])
    func printedConfiguration(program: String) throws {
        let folder = try TemporaryDirectory()
        let secrets = try folder.write("secrets", Data(#"{"ssl.key.password": "\#(Self.secret)"}"#.utf8))
        let config = try folder.write("config", Data(#"{"X": {"sasl.password": "\#(Self.secret)"}}"#.utf8))
        let output = String(
            decoding: try ChildProcess.run(
                ChildProcess.product(program),
                [
                    "--print-config", "--bootstrap-servers", "h:1", "--secrets", secrets.path, "--config", config.path,
                    "-X", "ssl.keystore.password=\(Self.secret)", "-X", "linger.ms=5",
                ], environment: ["KAPTION_SECRET_SASL_PASSWORD": Self.secret]), as: UTF8.self)
        #expect(!output.contains(Self.secret))
        #expect(output.contains("ssl.keystore.password=(secret)"))
        #expect(output.contains("linger.ms=5"))
        #expect(output.contains("(set)"))
    }

    @Test(
        "a secret on the command line is refused, and not repeated", arguments: ["kaption-worker", "kaption-enqueue"])
    func commandLine(program: String) throws {
        let folder = try TemporaryDirectory()
        let log = folder.url.appendingPathComponent("errors")
        let options = ["--bootstrap-servers", "h:1", "--storage", "/", "-X", "sasl.password=\(Self.secret)"]
        let own = program == "kaption-worker" ? ["--model", "/"] : ["a.jpg"]
        let process = try ChildProcess(ChildProcess.product(program), options + own, errors: log)
        #expect(process.wait() == 2)
        let errors = try String(contentsOf: log, encoding: .utf8)
        #expect(errors.contains("KAPTION_SECRET_SASL_PASSWORD"))
        #expect(!errors.contains(Self.secret))
    }

    @Test("the most talkative log holds no password", .enabled(if: KafkaLocal.isPresent))
    func passwordInLogs() throws {
        let trial = try SecuredTrial()
        try trial.grant(trial.ofWorker + [.init(.write, .topic(trial.requests))])
        let talkative = ["--log-level", "trace", "-X", "debug=all"]
        let worker = try trial.startWorker(nil, talkative)
        try trial.enqueue(["a.jpg"])
        #expect(try eventually(within: .seconds(60)) { try trial.count(trial.results) == 1 })
        #expect(worker.stop() == 0)
        let enqueue = try trial.runEnqueue(
            talkative + ["--storage", trial.storage.url.path, "--topic", trial.requests, "a.jpg"])
        #expect(enqueue.exitCode == 0)
        for log in [worker.logText, enqueue.log] {
            #expect(log.contains("sasl"), "the log is not as talkative as it was meant to be")
            #expect(!log.contains(SecuredKafka.password(of: trial.user)))
            // As SASL PLAIN sends it.
            let encoded = Data("\0\(trial.user)\0\(SecuredKafka.password(of: trial.user))".utf8).base64EncodedString()
            #expect(!log.contains(encoded))
        }
    }

    @Test("nor a token", .enabled(if: KafkaLocal.isPresent))
    func tokenInLogs() throws {
        let trial = try SecuredTrial(user: "bearer-\(UUID().uuidString.prefix(8))")
        let folder = try TemporaryDirectory()
        let token = unsecuredToken(subject: trial.user, lifetime: 300)
        let file = try folder.write("token", Data(token.utf8))
        try trial.grant(trial.ofWorker)
        let access = [
            "--bootstrap-servers", trial.kafka.sasl, "-X", "security.protocol=SASL_PLAINTEXT", "--oauth-token-file",
            file.path,
        ]
        let worker = try trial.startWorker(access, ["--log-level", "trace", "-X", "debug=all"], environment: [:])
        try trial.enqueue(["a.jpg"])
        #expect(try eventually(within: .seconds(60)) { try trial.count(trial.results) == 1 })
        #expect(worker.stop() == 0)
        let claims = try #require(token.split(separator: ".").dropFirst().first)
        #expect(worker.logText.contains("sasl"))
        #expect(!worker.logText.contains(claims))
    }
}
