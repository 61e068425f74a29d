import CommandLineOptions
import Foundation
import TestSupport
import Testing

struct SourceTests {
    let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    func file(_ text: String) throws -> String { try folder.write("settings.json", Data(text.utf8)).path }

    @Test func flagGoesBeforeEnvironmentBeforeFile() throws {
        let path = try file(
            #"{"storage":"/file","threads":2,"max-batch":3,"wait":true,"rate":1.5,"topic":["a","b"],"X":{"a":1,"b":true}}"#
        )
        let environment = ["KAPTION_THREADS": "4", "KAPTION_MAX_BATCH": "5", "KAPTION_X": "b=2\nc=3"]
        let options = try Sample.options("--config", path, "--max-batch", "6", "-X", "c=4", environment: environment)
        #expect(options[Sample.storage] == "/file")
        #expect(options[Sample.threads] == 4)
        #expect(options[Sample.maxBatch] == 6)
        #expect(options[Sample.wait])
        #expect(options[Sample.rate] == 1.5)
        #expect(options[Sample.topic] == ["a", "b"])
        // Put together, what counts most last.
        let properties = options[SharedOptions.properties].map { "\($0.key)=\($0.value)" }
        #expect(properties == ["a=1", "b=true", "b=2", "c=3", "c=4"])
        #expect(options.source(of: Sample.storage) == .file(path: path))
        #expect(options.source(of: Sample.threads) == .environment(variable: "KAPTION_THREADS"))
        #expect(options.source(of: Sample.maxBatch) == .commandLine)
    }

    @Test func aRepeatedOptionIsReplacedAsAWhole() throws {
        let path = try file(#"{"storage":"/file","topic":["a","b"]}"#)
        let environment = ["KAPTION_CONFIG": path, "KAPTION_TOPIC": "c\nd e"]
        #expect(try Sample.options(environment: environment)[Sample.topic] == ["c", "d e"])
        #expect(try Sample.options("--topic", "f", environment: environment)[Sample.topic] == ["f"])
    }

    @Test(arguments: [
        (#"{"threads":"abc"}"#, ": threads: 'abc' is not a whole number; give 1 to 256"),
        (#"{"thread":1}"#, ": unknown key 'thread'. Did you mean threads?"),
        (#"{"threads":[1,2]}"#, ": 'threads' takes one value"),
        (#"{"threads":null}"#, ": 'threads' is neither text, number, true nor false"),
        (#"{"config":"x"}"#, ": unknown key 'config'."),
        ("[1]", ": not a JSON object"),
        ("{", ": not a JSON object"),
    ])
    func refusesWhatTheFileSays(text: String, reason: String) throws {
        let path = try file(text)
        #expect(Sample.refusal(["--config", path]) == path + reason)
    }

    @Test func aMissingFileAndABadVariableAreNamed() {
        let missing = Sample.refusal(["--config", "/nowhere/at/all"])
        #expect(missing?.hasPrefix("/nowhere/at/all: cannot be read") == true)
        let environment = ["KAPTION_STORAGE": "/x", "KAPTION_THREADS": "many"]
        let bad = Sample.refusal([], environment: environment)
        #expect(bad == "KAPTION_THREADS: 'many' is not a whole number; give 1 to 256")
    }

    @Test func secretsComeFromEnvironmentOrFileOnly() throws {
        let path = try file(#"{"sasl.password":"one","ssl-key-password":"two"}"#)
        let environment = ["KAPTION_SECRET_SASL_PASSWORD": "three"]
        let options = try Sample.options("--storage", "/x", "--secrets", path, environment: environment)
        #expect(options.secrets == ["sasl-password": "three", "ssl-key-password": "two"])
        #expect(Sample.refusal(["--storage", "/x", "--sasl-password", "p"]) == "unknown option --sasl-password.")
        let wrong = try file(#"{"sasl.pasword":"one"}"#)
        let refusal = Sample.refusal(["--storage", "/x", "--secrets", wrong])
        #expect(refusal == "\(wrong): unknown secret 'sasl.pasword'. Did you mean sasl-password?")
    }

    @Test func printedConfigurationHidesSecrets() throws {
        let environment = ["KAPTION_SECRET_SASL_PASSWORD": "hush", "KAPTION_THREADS": "4"]
        let text = try Sample.shown("--print-config", "--wait", environment: environment)
        #expect(!text.contains("hush"))
        let object = try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: [String: Any]])
        #expect(object["threads"]?["value"] as? String == "4")
        #expect(object["threads"]?["source"] as? String == "environment KAPTION_THREADS")
        #expect(object["wait"]?["value"] as? Bool == true)
        #expect(object["max-batch"]?["source"] as? String == "default")
        #expect(object["storage"]?["source"] as? String == "not set")
        #expect(object["secret sasl-password"]?["value"] as? String == "(set)")
        #expect(object["help"] == nil)
    }
}
