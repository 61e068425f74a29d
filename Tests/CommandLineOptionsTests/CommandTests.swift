import CommandLineOptions
import Testing

struct CommandTests {
    @Test func helpComesFromTheDeclarations() throws {
        let help = try Sample.shown("--help")
        #expect(
            help.hasPrefix("sample: Shows every kind of option.\n\nUSAGE\n  sample --storage DIR [OPTIONS] [PATH]\n"))
        #expect(help.contains("  --max-batch N             Images at once. Default: 8.\n"))
        #expect(help.contains("  -X KEY=VALUE …            Any property of librdkafka"))
        #expect(help.contains("  -0, --null                NUL ends a path.\n"))
        #expect(help.contains("KAPTION_SECRET_SASL_PASSWORD"))
        #expect(help.contains("EXAMPLES\n  # Nothing much\n  sample --storage /photos"))
        #expect(!help.contains("trial-mode"))
        #expect(help.split(separator: "\n").allSatisfy { $0.count <= 120 })
        #expect(try Sample.shown("-h", "--storage", "x") == help)
    }

    @Test func showsTheVersion() throws {
        #expect(try Sample.shown("--version") == "sample \(Kaption.version)")
        #expect(try Sample.shown("--version", of: Sample.withSubcommands) == "tool \(Kaption.version)")
        #expect(try Sample.shown("caption", "--version", of: Sample.withSubcommands) == "tool \(Kaption.version)")
    }

    @Test func aSubcommandHasItsOwnOptions() throws {
        let options = try Sample.options("caption", "--beam", "5", "a.jpg", "b.jpg", of: Sample.withSubcommands)
        #expect(options.subcommand == "caption")
        #expect(options[Sample.beam] == 5)
        #expect(options.positionals == ["a.jpg", "b.jpg"])
        let help = try Sample.shown("caption", "--help", of: Sample.withSubcommands)
        #expect(help.hasPrefix("tool caption: Captions.\n\nUSAGE\n  tool caption [OPTIONS] IMAGE…"))
        let optional = Command(
            name: "tool", abstract: "Tells.", positionals: Positionals("FILE…", count: 0...9, help: "Files."))
        #expect(try Sample.shown("--help", of: optional).contains("  tool [OPTIONS] [FILE…]\n"))
        let overview = try Sample.shown("--help", of: Sample.withSubcommands)
        #expect(overview.contains("COMMANDS\n  import                    Imports.\n"))
    }

    @Test func aCommandsOwnConfigIsNoSettingsFile() throws {
        let options = try Sample.options("import", "--config", "/nowhere.json", of: Sample.withSubcommands)
        #expect(options[Sample.modelConfig] == "/nowhere.json")
    }

    @Test func aWrongSubcommandIsRefused() {
        #expect(
            Sample.refusal(["captoin"], of: Sample.withSubcommands)
                == "unknown command 'captoin'. Did you mean caption?")
        #expect(Sample.refusal([], of: Sample.withSubcommands) == "a command is missing; give import, caption")
    }

    @Test func exitCodesAreTheContract() {
        #expect(
            [ExitCode.done, .failed, .usage, .kafka, .model, .signal(15)].map(\.rawValue) == [0, 1, 2, 3, 4, 143])
    }
}
