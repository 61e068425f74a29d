import CommandLineOptions
import Inference

/// The worker's command line.
enum WorkerOptions {
    enum Delivery: String, Sendable, CaseIterable {
        case atLeastOnce = "at-least-once"
        case exactlyOnce = "exactly-once"
    }

    enum Assignment: String, Sendable, CaseIterable {
        case cooperativeSticky = "cooperative-sticky"
        case range
    }

    static let group = Option.defaulted(
        "group", .string, "NAME", default: "kaption", help: "Consumer group; its members share the partitions.")
    static let topics = Option.defaulted(
        "topics", .weightedNames, "NAME[=WEIGHT],…", default: "captions.requests",
        help:
            "Topics that requests come from, each with its weight: live=8,bulk=1 gives live 8 of 9 images while both wait."
    )
    static let window = Option.defaulted(
        "window", .integer(16...1_000_000), "N", default: "256",
        help: "Most requests in the worker at a time, from Kafka to Kafka.")
    static let resultsTopic = Option.defaulted(
        "results-topic", .string, "NAME", default: "captions.results", help: "Topic that results go to.")
    static let deadLettersTopic = Option.defaulted(
        "dead-letters-topic", .string, "NAME", default: "captions.dead-letters",
        help: "Topic that requests go to which finally failed.")
    static let partitions = Option.defaulted(
        "partitions", .integer(1...10_000), "N", default: "8", help: "Partitions of topics that are missing and made.")
    static let instanceID = Option.optional(
        "instance-id", .string, "ID",
        help: "Makes this a static member: a restart within session.timeout.ms moves no partition. One ID a worker.")
    static let assignment = Option.defaulted(
        "assignment", ValueFormat<Assignment>.choice, "STRATEGY", default: "cooperative-sticky",
        help: "How the group shares partitions: cooperative-sticky, or range, which stops all members at each change.")

    static let delivery = Option.defaulted(
        "delivery", ValueFormat<Delivery>.choice, "MODE", default: "at-least-once",
        help: "at-least-once: every request is answered, repeats are possible and have the same ce_id. exactly-once: "
            + "answers and offsets go in transactions, and a read_committed reader sees each answer once.")
    static let transactionInterval = Option.defaulted(
        "transaction-interval", .duration(.milliseconds(1) ... .seconds(5)), "TIME", default: "100ms",
        help: "With exactly-once: how often a transaction is committed.")
    static let order = Option.defaulted(
        "order", ValueFormat<ReleaseOrder>.choice, "ORDER", default: "partition",
        help: "partition: results leave in their requests' order; none: as they come.")
    static let retryBudget = Option.defaulted(
        "retry-budget", .duration(.zero ... .seconds(3600)), "TIME", default: "2s",
        help: "How long an image that is missing or unreadable is tried again.")
    static let revokeTimeout = Option.defaulted(
        "revoke-timeout", .duration(.zero ... .seconds(60)), "TIME", default: "500ms",
        help: "How long running images are awaited when a partition goes to another worker.")

    static let storage = Option.required(
        "storage", .string, "DIR", help: "Folder that image paths are relative to. Nothing outside it is read.")
    static let storageSentinel = Option.optional(
        "storage-sentinel", .string, "FILE",
        help:
            "File beneath the storage folder, of at most 4 KiB, that tells it from an empty one: where it is missing or "
            + "another, requests wait.")
    static let imageTimeout = Option.defaulted(
        "image-timeout", .duration(.milliseconds(100) ... .seconds(3600)), "TIME", default: "10s",
        help: "How long reading one image may take, and decoding it.")
    static let breakerThreshold = Option.defaulted(
        "breaker-threshold", .integer(0...100), "PERCENT", default: "50",
        help: "Of the last answers: if so many are failures of storage, model or worker, requests wait. 0: never.")
    static let breakerWindow = Option.defaulted(
        "breaker-window", .integer(1...10_000), "N", default: "100", help: "How many last answers those are.")
    static let breakerInterval = Option.defaulted(
        "breaker-interval", .duration(.milliseconds(100) ... .seconds(3600)), "TIME", default: "5s",
        help: "While requests wait for that reason, one is tried this often.")
    static let stateDirectory = Option.optional(
        "state-dir", .string, "DIR",
        help:
            "Folder on this host's disk, shared by its workers, that keeps an image which ends a worker from ending them "
            + "for ever.")
    static let ioThreads = Option.defaulted(
        "io-threads", .integer(1...256), "N", default: "4", help: "Threads that read images.")

    static let model = Option.required("model", .string, "DIR", help: "Model bundle (a folder).")
    static let threads = Option.optional(
        "threads", .integer(1...1024), "N", help: "Threads that caption. Default: one a core.")
    static let maxBatch = Option.defaulted(
        "max-batch", .integer(1...64), "N", default: "8", help: "Most images that a thread takes at once.")
    static let beam = Option.optional(
        "beam", .integer(1...10), "N", help: "Beams where the request does not say. Default: the model's.")
    static let precision = Option.optional(
        "precision", ValueFormat<ModelManifest.Precision.Kind>.choice, "fp32|bf16|int8",
        help: "Arithmetic, one that the model allows. Default: the model's.")

    static let http = Option.optional(
        "http", .hostAndPort, "HOST:PORT",
        help: "Answers /healthz, /readyz and /metrics here; port 0 is the system's choice, see the log. Default: off.")
    static let watermarkTimeout = Option.defaulted(
        "watermark-timeout", .duration(.milliseconds(100) ... .seconds(86_400)), "TIME", default: "60s",
        help: "A partition with work that commits nothing for that long, and the retry budget, is called stalled.")

    static let command = Command(
        name: "kaption-worker",
        abstract: "captions the images named on a Kafka topic and sends the captions to another.",
        discussion: """
            Runs until SIGTERM or SIGINT: then what was taken is finished (20 s at most), committed, and the group is left;
            a second signal ends it at once. Missing topics are made. Every request gets a result; one that failed gets a
            dead letter too. Times have a unit: 500ms, 2s, 1m.

            Ends with 0 when stopped by a signal, 1 on failure, 2 for wrong usage, 3 if Kafka refuses the worker, 4 for a
            bad model. While Kafka is away it waits.
            """,
        sections: [
            Section(
                "Kafka",
                [
                    SharedOptions.bootstrapServers, group, topics, resultsTopic, deadLettersTopic, partitions,
                    instanceID,
                    assignment, window, SharedOptions.oauthTokenFile, SharedOptions.properties,
                ]),
            Section("Promises", [delivery, transactionInterval, order, retryBudget, revokeTimeout, stateDirectory]),
            Section("Images", [storage, storageSentinel, ioThreads, imageTimeout]),
            Section("Circuit breaker", [breakerThreshold, breakerWindow, breakerInterval]),
            Section("Model", [model, threads, maxBatch, beam, precision]),
            Section("Health", [http, watermarkTimeout]),
            Section("Log", [SharedOptions.log, SharedOptions.logLevel]),
        ],
        secrets: Secret.kafka,
        examples: [
            Example(
                "Caption what comes, with the model in the box",
                "kaption-worker --bootstrap-servers localhost:9092 --storage /photos --model Models/kaption-small"),
            Example(
                "A request and its answer, with nothing but kcat",
                "printf 'a.jpg\\n' | kcat -P -b localhost:9092 -t captions.requests; "
                    + "kcat -C -b localhost:9092 -t captions.results -e -f '%s\\n'"),
            Example(
                "Two threads, greedy decoding, a password from the environment",
                "KAPTION_SECRET_SASL_PASSWORD=… kaption-worker --bootstrap-servers kafka:9093 --storage /photos --model m "
                    + "--threads 2 --beam 1 -X security.protocol=SASL_SSL -X sasl.mechanism=PLAIN -X sasl.username=worker"
            ),
        ])

    /// Options that do not go together.
    static func checkAvailability(_ options: ParsedOptions) throws(UsageError) {
        if options[delivery] == .exactlyOnce, options[order] == .none {
            throw UsageError(
                "--order none goes with --delivery at-least-once only: a transaction's offsets have no gaps")
        }
        let answers = [options[resultsTopic], options[deadLettersTopic]]
        if let both = options[topics].first(where: { answers.contains($0.name) }) {
            throw UsageError("the worker would take its own answers for requests: '\(both.name)' is in --topics")
        }
        if answers[0] == answers[1] {
            throw UsageError("results and dead letters need a topic each, not both '\(answers[0])'")
        }
    }
}
