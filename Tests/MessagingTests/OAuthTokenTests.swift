import Foundation
import TestSupport
import Testing

@testable import Messaging

@Suite struct OAuthTokenTests {
    @Test func claimsAreRead() throws {
        let token = try OAuthToken(jwt: unsecuredToken(subject: "worker", lifetime: 60))
        #expect(token.principal == "worker")
        #expect(abs(Double(token.expiry) / 1000 - Date().timeIntervalSince1970 - 60) < 5)
    }

    /// The example of RFC 7519, section 3.1: its `exp` is 1300819380, its issuer "joe", and it has no subject.
    @Test func theStandardsOwnExampleIsRead() throws {
        let token = try OAuthToken(
            jwt: "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
                + "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
                + "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
        #expect(token.expiry == 1_300_819_380_000)
        #expect(token.principal == "unknown")
    }

    @Test(arguments: [
        "", "abc", "a.b", "a.b.c.d", "a.!.c", "a.b c.d", "e30.e30.", "e30.W10.", "e30.eyJleHAiOiJ4In0.",
        "e30.eyJleHAiOi0xfQ.", "e30.eyJleHAiOjFlMzB9.",
    ])
    func anythingElseIsRefusedWithoutRepeatingIt(text: String) {
        let error = #expect(throws: OAuthTokenError.self) { try OAuthToken(jwt: text) }
        if text.count > 5 { #expect(error?.description.contains(text) == false) }
    }

    @Test func theTokenIsNeverDescribed() throws {
        let text = unsecuredToken(subject: "worker", lifetime: 60)
        let token = try OAuthToken(jwt: text)
        var dumped = ""
        dump(token, to: &dumped)
        for shown in ["\(token)", String(reflecting: token), dumped] { #expect(!shown.contains(text)) }
    }

    @Test func theFileIsReadEachTime() throws {
        let folder = try TemporaryDirectory()
        let url = folder.url.appendingPathComponent("token")
        let file = OAuthTokenFile(path: url.path)
        #expect(throws: OAuthTokenError.self) { try file.token() }
        try folder.write("token", Data("\n".utf8))
        #expect(throws: OAuthTokenError.self) { try file.token() }
        try folder.write("token", Data((unsecuredToken(subject: "a", lifetime: 60) + "\n").utf8))
        #expect(try file.token().principal == "a")
        try folder.write("token", Data(unsecuredToken(subject: "b", lifetime: 60).utf8))
        #expect(try file.token().principal == "b")
        try folder.write("token", Data(unsecuredToken(subject: "b", lifetime: -5).utf8))
        let expired = #expect(throws: OAuthTokenError.self) { try file.token() }
        #expect(expired?.description.contains("expired at 2") == true)
        try folder.write("token", Data(repeating: 0x61, count: 100_000))
        #expect(throws: OAuthTokenError.self) { try file.token() }
        #expect(throws: OAuthTokenError.self) { try OAuthTokenFile(path: folder.url.path).token() }
    }

    @Test(
        arguments: [
            (["security.protocol=SASL_SSL"], nil), (["security.protocol=sasl_plaintext"], nil),
            (["security.protocol=SASL_SSL", "sasl.mechanisms=OAUTHBEARER"], nil), ([], "SASL_SSL"),
            (["security.protocol=SSL"], "SASL_SSL"), (["security.protocol=SASL_SSL", "sasl.mechanism=PLAIN"], "PLAIN"),
        ] as [([String], String?)])
    func itGoesWithItsOwnMechanismOnly(properties: [String], refusal: String?) throws {
        var configuration = KafkaConfiguration(bootstrapServers: "h:1")
        try configuration.passThrough(properties)
        do {
            try configuration.setTokenFile(OAuthTokenFile(path: "/nowhere"))
            #expect(refusal == nil)
        } catch let error as KafkaError {
            #expect(error.category == .configuration)
            #expect(error.message.contains(refusal ?? "-"))
        }
    }
}
