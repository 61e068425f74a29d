/// A program's command line, declared once: the help, the parser, the environment and the settings file all follow
/// from it.
///
/// ```swift
/// enum Flags {
///     static let storage = Option.required("storage", .string, "DIR", help: "Folder the images lie in.")
///     static let threads = Option.optional("threads", .integer(1...256), "N", help: "Threads; default: one a core.")
///     static let maxBatch = Option.defaulted("max-batch", .integer(1...64), "N", default: "8", help: "At once.")
///     static let wait = Option.flag("wait", help: "Wait for the results.")
///
///     static let command = Command(
///         name: "kaption-worker", abstract: "Captions images named on a Kafka topic.",
///         sections: [
///             Section("Kafka", [SharedOptions.bootstrapServers, SharedOptions.properties]),
///             Section("Images", [storage, threads, maxBatch]),
///         ],
///         secrets: Secret.kafka,
///         examples: [Example("One worker", "kaption-worker --bootstrap-servers localhost:9092 --storage /photos")])
/// }
///
/// let options = Flags.command.parseOrExit()      // prints help, version, configuration or a usage error by itself
/// let threads: Int? = options[Flags.threads]
/// let password = options.secrets["sasl-password"]
/// ```
///
/// A value comes from the first of: the flag; `KAPTION_<FLAG>` in the environment; the key of that name in `--config
/// FILE` (a JSON object; arrays for repeated options, an object for `KEY=VALUE` ones; unknown keys are refused); the
/// default. A repeated option's variable holds one value a line. Secrets never come from flags: from
/// `KAPTION_SECRET_<NAME>` or `--secrets FILE`. A command that declares an option `config` of its own has no settings
/// file.
///
/// With `subcommands`, `options.subcommand` says which was chosen, and only its options are known.
public struct Command: Sendable {
    public let name: String
    public let abstract: String
    public let discussion: String
    public let sections: [Section]
    public let positionals: Positionals?
    public let secrets: [Secret]
    public let examples: [Example]
    public let subcommands: [Command]

    public init(
        name: String, abstract: String, discussion: String = "", sections: [Section] = [],
        positionals: Positionals? = nil, secrets: [Secret] = [], examples: [Example] = [], subcommands: [Command] = []
    ) {
        self.name = name
        self.abstract = abstract
        self.discussion = discussion
        self.sections = sections
        self.positionals = positionals
        self.secrets = secrets
        self.examples = examples
        self.subcommands = subcommands
    }
}

/// Options that belong together in the help.
public struct Section: Sendable {
    public let title: String
    public let options: [any AnyOption]

    public init(_ title: String, _ options: [any AnyOption]) {
        self.title = title
        self.options = options
    }
}

/// The arguments without a flag.
public struct Positionals: Sendable {
    public let placeholder: String
    public let help: String
    public let count: ClosedRange<Int>

    public init(_ placeholder: String, count: ClosedRange<Int> = 1...Int.max, help: String) {
        self.placeholder = placeholder
        self.count = count
        self.help = help
    }
}

/// A line to copy, and what it does.
public struct Example: Sendable {
    public let purpose: String
    public let line: String

    public init(_ purpose: String, _ line: String) {
        self.purpose = purpose
        self.line = line
    }
}

/// A value that must not be seen in a process list, a log or `--print-config`.
public struct Secret: Sendable {
    /// With dashes: `sasl-password`. In the environment `KAPTION_SECRET_SASL_PASSWORD`; in the file dots do too.
    public let name: String
    public let help: String

    public init(_ name: String, help: String) {
        self.name = name
        self.help = help
    }

    public var environmentName: String { "KAPTION_SECRET_" + name.uppercased().replacing("-", with: "_") }

    /// librdkafka's secret properties: the property's name is the secret's, with dots for dashes.
    public static let kafka = [
        Secret("sasl-password", help: "Password of the SASL user."),
        Secret("ssl-key-password", help: "Password of the client's private key."),
        Secret("ssl-key-pem", help: "The client's private key itself, in PEM."),
        Secret("ssl-keystore-password", help: "Password of the client's PKCS#12 key store."),
        Secret("sasl-oauthbearer-client-secret", help: "Secret of the OAuth client."),
        Secret("sasl-oauthbearer-config", help: "Settings of librdkafka's unsecured OAuth tokens."),
    ]
}
