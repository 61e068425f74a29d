/// Options that several programs have, declared once so that they mean the same in all of them.
public enum SharedOptions {
    public static let bootstrapServers = Option.required(
        "bootstrap-servers", .string, "HOST:PORT",
        help: "Kafka brokers to begin with, separated by commas.")

    public static let properties = Option.merged(
        "X", .keyValue, "KEY=VALUE",
        help: "Any property of librdkafka, such as security.protocol=SASL_SSL. May be repeated.")

    public static let oauthTokenFile = Option<String?>.optional(
        "oauth-token-file", .string, "FILE",
        help: "File that holds the current JSON Web Token for SASL OAUTHBEARER; read again whenever one is needed.")

    public static let log = Option.defaulted(
        "log", ValueFormat.choice(["json", "text"]), "json|text", default: "text",
        help: "Form of the log on standard error.")

    public static let logLevel = Option.defaulted(
        "log-level", ValueFormat.choice(["trace", "debug", "info", "notice", "warning", "error", "critical"]), "LEVEL",
        default: "info",
        help: "Least level that is logged: trace, debug, info, notice, warning, error or critical.")

    // What every command has; the parser deals with them itself.
    static let help = Option.flag("help", help: "Show this help.").short("h")
    static let version = Option.flag("version", help: "Show the version.")
    static let config = Option.optional("config", .string, "FILE", help: "Settings file: a JSON object, a key a flag.")
    static let secrets = Option.optional("secrets", .string, "FILE", help: "Secrets file: a JSON object.")
    static let printConfig = Option.flag(
        "print-config", help: "Show every setting and where it comes from, as JSON, and end.")
}
