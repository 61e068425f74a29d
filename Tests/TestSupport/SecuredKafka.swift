import Foundation

/// Apache Kafka with all its doors: SASL (PLAIN, SCRAM, OAUTHBEARER with unsecured tokens) in the clear and over TLS, TLS
/// with client certificates, and an authorizer that lets nobody do anything without an ACL. One for all tests of a process:
/// each takes a user of its own.
public final class SecuredKafka: TestBroker {
    public static func shared() throws -> SecuredKafka { try sharedBroker.get() }

    private static let sharedBroker: Result<SecuredKafka, any Error> = Result {
        let broker = try SecuredKafka()
        atexit { try? SecuredKafka.sharedBroker.get().kafka.wipe() }
        return broker
    }

    /// In the clear, and a super user without a password.
    public var bootstrapServers: String { kafka.bootstrapServers }
    public var sasl: String { "127.0.0.1:\(kafka.port + 2)" }
    public var saslOverTLS: String { "127.0.0.1:\(kafka.port + 3)" }
    public var clientCertificates: String { "127.0.0.1:\(kafka.port + 4)" }
    /// What the brokers' and the clients' certificates are signed by.
    public var certificateAuthority: URL { secure.appendingPathComponent("ca.pem") }
    public var accessControl: AccessControl { AccessControl(bootstrapServers: bootstrapServers) }

    private let kafka: KafkaLocal
    private var secure: URL { kafka.folder.url.appendingPathComponent("secure") }

    /// Users of SASL PLAIN, with nothing granted; each has its password.
    private static let users = (0..<40).map { "user-\($0)" }
    private static let nextUser = Counter()

    public static func password(of user: String) -> String { "Pass-\(user)-d41d8cd9" }

    /// A user of SASL PLAIN that no other test has.
    public static func newUser() -> String { users[nextUser.next() % users.count] }

    private init() throws {
        kafka = try KafkaLocal(options: Self.options)
    }

    private static func options(folder: URL, port: Int) -> [String] {
        let module = "org.apache.kafka.common.security"
        let hosts = ["PLAIN": 0, "SASL": 2, "TLS": 3, "MTLS": 4].map { "\($0)://127.0.0.1:\(port + $1)" }
        let advertised = hosts.sorted().joined(separator: ",")
        let passwords = users.map { "user_\($0)=\"\(password(of: $0))\"" }.joined(separator: " ")
        var properties = [
            "sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "listeners": "\(advertised),CONTROLLER://127.0.0.1:\(port + 1)", "advertised.listeners": advertised,
            "listener.security.protocol.map":
                "PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL:SASL_PLAINTEXT,TLS:SASL_SSL,MTLS:SSL",
            "listener.name.mtls.ssl.keystore.type": "PKCS12",
            "listener.name.mtls.ssl.keystore.location": "\(folder.path)/secure/broker.p12",
            "listener.name.mtls.ssl.keystore.password": "kafka-local",
            "listener.name.mtls.ssl.key.password": "kafka-local",
            "listener.name.mtls.ssl.client.auth": "required", "listener.name.mtls.ssl.truststore.type": "PEM",
            "listener.name.mtls.ssl.truststore.location": "\(folder.path)/secure/ca.pem",
        ]
        for listener in ["sasl", "tls"] {
            let name = "listener.name.\(listener)"
            properties["\(name).plain.sasl.jaas.config"] =
                "\(module).plain.PlainLoginModule required user_admin=\"admin-secret\" \(passwords);"
            for mechanism in ["scram-sha-256", "scram-sha-512"] {
                properties["\(name).\(mechanism).sasl.jaas.config"] = "\(module).scram.ScramLoginModule required;"
            }
            properties["\(name).oauthbearer.sasl.jaas.config"] =
                "\(module).oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub=\"broker\";"
            // A connection ends with the token that it began with.
            properties["\(name).oauthbearer.connections.max.reauth.ms"] = "3600000"
        }
        return ["--secure"] + properties.sorted { $0.key < $1.key }.flatMap { ["-o", "\($0.key)=\($0.value)"] }
    }

    /// Makes a user of SCRAM, of both kinds.
    public func addScramUser(_ user: String, password: String) throws {
        for mechanism in ["SCRAM-SHA-256", "SCRAM-SHA-512"] {
            try kafka.run([
                "configs", "--alter", "--entity-type", "users", "--entity-name", user, "--add-config",
                "\(mechanism)=[password=\(password)]",
            ])
        }
    }

    public func grantTransactionalID(_ identifier: String, to user: String) throws {
        try changeTransactionalID(identifier, of: user, by: ["--add"])
    }

    public func takeTransactionalID(_ identifier: String, from user: String) throws {
        try changeTransactionalID(identifier, of: user, by: ["--remove", "--force"])
    }

    private func changeTransactionalID(_ identifier: String, of user: String, by change: [String]) throws {
        try kafka.run(
            ["acls"] + change + [
                "--allow-principal", "User:\(user)", "--operation", "Write", "--operation", "Describe",
                "--transactional-id", identifier,
            ])
    }

    /// A key and a certificate for a client, signed by an authority of their own or by the one that the brokers trust.
    public func clientCertificate(_ name: String, in folder: TemporaryDirectory, isTrusted: Bool = true) throws
        -> (key: URL, certificate: URL)
    {
        guard let openssl = ChildProcess.installed("openssl") else {
            throw ChildProcess.Failure(description: "openssl is not installed")
        }
        func file(_ suffix: String) -> URL { folder.url.appendingPathComponent("\(name).\(suffix)") }
        let request = ["req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=\(name)", "-keyout", file("key").path]
        if isTrusted {
            try ChildProcess.run(openssl, request + ["-out", file("csr").path])
            try ChildProcess.run(
                openssl,
                [
                    "x509", "-req", "-days", "2", "-CA", certificateAuthority.path, "-CAkey",
                    secure.appendingPathComponent("ca.key").path, "-set_serial", String(Int.random(in: 1...Int.max)),
                    "-in", file("csr").path, "-out", file("pem").path,
                ])
        } else {
            try ChildProcess.run(openssl, request + ["-x509", "-days", "2", "-out", file("pem").path])
        }
        return (file("key"), file("pem"))
    }
}

/// An unsecured JSON Web Token (RFC 7519, section 6), as brokers take it that are set up for tests.
public func unsecuredToken(subject: String?, lifetime: TimeInterval, claims: [String: String] = [:]) -> String {
    let now = Date().timeIntervalSince1970
    var payload: [String: Any] = claims
    payload["sub"] = subject
    payload["iat"] = now - 1
    payload["exp"] = now + lifetime
    func part(_ object: [String: Any]) -> String {
        let data = (try? JSONSerialization.data(withJSONObject: object)) ?? Data()
        return data.base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
    return part(["alg": "none"]) + "." + part(payload) + "."
}
