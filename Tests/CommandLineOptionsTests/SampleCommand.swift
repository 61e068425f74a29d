import CommandLineOptions

/// A command with an option of every kind, for the tests.
enum Sample {
    enum Order: String, CaseIterable, Sendable { case partition, none }

    static let storage = Option.required("storage", .string, "DIR", help: "Folder of the images.")
    static let threads = Option.optional("threads", .integer(1...256), "N", help: "Threads.")
    static let maxBatch = Option.defaulted("max-batch", .integer(1...64), "N", default: "8", help: "Images at once.")
    static let order = Option.defaulted(
        "order", ValueFormat<Order>.choice, "partition|none", default: "partition", help: "Order of results.")
    static let budget = Option.defaulted("retry-budget", .duration, "TIME", default: "2s", help: "Time for retries.")
    static let window = Option.defaulted(
        "window-bytes", .byteCount(1...1 << 40), "BYTES", default: "64MiB", help: "Bytes in the window.")
    static let rate = Option.optional("rate", .number(0.01...1e6), "N", help: "A second.")
    static let topics = Option.defaulted(
        "topics", .weightedNames, "NAME[=WEIGHT],…", default: "captions.requests", help: "Topics.")
    static let http = Option.optional("http", .hostAndPort, "HOST:PORT", help: "Where to listen.")
    static let topic = Option.repeated("topic", .string, "NAME", help: "A topic.")
    static let wait = Option.flag("wait", help: "Wait.")
    static let null = Option.flag("null", help: "NUL ends a path.").short("0")
    static let trial = Option.flag("trial-mode", help: "Not for you.").hidden

    static let command = Command(
        name: "sample", abstract: "Shows every kind of option.",
        sections: [
            Section(
                "Work",
                [storage, threads, maxBatch, order, budget, window, rate, topics, http, topic, wait, null, trial]),
            Section("Kafka", [SharedOptions.properties]),
        ],
        positionals: Positionals("PATH", count: 0...2, help: "Paths."),
        secrets: Secret.kafka,
        examples: [Example("Nothing much", "sample --storage /photos")])

    static let modelConfig = Option.required("config", .string, "FILE", help: "The model's.")
    static let beam = Option.defaulted("beam", .integer(1...10), "N", default: "3", help: "Beams.")
    static let withSubcommands = Command(
        name: "tool", abstract: "Has commands.",
        subcommands: [
            Command(name: "import", abstract: "Imports.", sections: [Section("Input", [modelConfig])]),
            Command(
                name: "caption", abstract: "Captions.", sections: [Section("Decoding", [beam])],
                positionals: Positionals("IMAGE…", help: "Images.")),
        ])

    /// Options of a start that is expected to succeed.
    static func options(
        _ arguments: String..., environment: [String: String] = [:], of command: Command = command
    ) throws -> ParsedOptions {
        switch try command.parse(arguments, environment: environment) {
        case .run(let options): return options
        case .show(let text): throw UsageError("shown instead: \(text)")
        }
    }

    /// The text that a start shows before it ends.
    static func shown(
        _ arguments: String..., environment: [String: String] = [:], of command: Command = command
    ) throws -> String {
        switch try command.parse(arguments, environment: environment) {
        case .run: throw UsageError("ran instead")
        case .show(let text): return text
        }
    }

    /// What a start that is expected to be refused says.
    static func refusal(
        _ arguments: [String], environment: [String: String] = [:], of command: Command = command
    ) -> String? {
        do {
            _ = try command.parse(arguments, environment: environment)
            return nil
        } catch { return error.message }
    }
}
