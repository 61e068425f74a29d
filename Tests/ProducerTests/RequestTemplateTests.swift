import CommandLineOptions
import Messaging
import Testing

@testable import Producer

@Suite("What all requests of a run have in common") struct RequestTemplateTests {
    private func template(_ arguments: [String], environment: [String: String] = [:]) throws -> RequestTemplate {
        let fixed = ["--bootstrap-servers", "h:1", "--storage", "/photos"]
        guard case .run(let options) = try EnqueueOptions.command.parse(fixed + arguments, environment: environment)
        else { throw UsageError("no run") }
        return try RequestTemplate(options, run: RunIdentity())
    }

    private func reason(_ arguments: [String], environment: [String: String] = [:]) -> String? {
        do {
            _ = try template(arguments, environment: environment)
            return nil
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "a model's name, with or without its version, goes into each request", arguments: ["m", "kaption-small@1.0_b"])
    func model(name: String) throws {
        #expect(try template(["--model", name]).model == name)
        #expect(try template([], environment: ["KAPTION_MODEL": name]).model == name)
        #expect(try template([]).model == nil)
    }

    @Test(
        "what no model can be called is refused",
        arguments: ["/models/m", "models/m", "m@", "@1", "m@1@2", "a b", "m\u{fc}", String(repeating: "m", count: 129)])
    func notAModel(name: String) throws {
        #expect(try #require(reason(["--model", name])).contains("--model (command line): '"))
    }

    @Test("the worker's bundle in the environment is told from a model; an argument goes before it")
    func bundle() throws {
        let environment = ["KAPTION_MODEL": "/models/kaption-small"]
        let refusal = try #require(reason([], environment: environment))
        #expect(refusal.contains("environment KAPTION_MODEL") && refusal.contains("'/models/kaption-small'"))
        #expect(try template(["--model", "m"], environment: environment).model == "m")
    }
}
