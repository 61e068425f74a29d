import CommandLineOptions
import Messaging

/// The command line of `kaption-enqueue`.
enum EnqueueOptions {
    enum Key: String, Sendable, CaseIterable { case id, path, none }
    enum Output: String, Sendable, CaseIterable { case auto, table, json }

    static let storage = Option<String?>.optional(
        "storage", .string, "DIR",
        help: "Folder the workers read images from; images are named relative to it. Required with images.")
    static let topic = Option.defaulted(
        "topic", .string, "NAME", default: "captions.requests", help: "Topic of the requests; it must exist.")
    static let timeout = Option.defaulted(
        "timeout", .duration(.milliseconds(100) ... .seconds(86_400)), "TIME", default: "30s",
        help: "How long Kafka may be away: at the start, and for each request.")

    static let rate = Option.optional(
        "rate", .number(0.001...10_000_000), "N", help: "At most so many images a second. Default: no limit.")
    static let resume = Option.optional(
        "resume", .string, "FILE",
        help: "Note what Kafka has acknowledged in FILE, and leave out what it already holds.")
    static let null = Option.flag("null", help: "With '-': paths end with a NUL (find -print0), not with a newline.")
        .short("0")
    static let allFiles = Option.flag(
        "all-files", help: "In folders take every file, not only .jpg, .jpeg and .png; hidden ones too.")
    static let maxInFlight = Option.defaulted(
        "max-in-flight", .integer(1...90_000), "N", default: "10000", help: "Unacknowledged requests at most."
    ).hidden

    static let key = Option.defaulted(
        "key", ValueFormat<Key>.choice, "id|path|none", default: "id",
        help: "Record key: the request's id, the image's path (requests for one image then stay in order), or none.")
    static let batch = Option.optional("batch", .string, "NAME", help: "Name of this set of requests, in each result.")
    static let model = Option.optional("model", .string, "NAME[@VERSION]", help: "Model to caption with.")
    static let beam = Option.optional("beam", .integer(1...10), "N", help: "Beams of the search; 1 is greedy.")
    static let candidates = Option.optional("candidates", .integer(1...10), "N", help: "Captions for each image.")
    static let maxWords = Option.optional("max-words", .integer(1...50), "N", help: "Longest caption.")
    static let metadata = Option.optional(
        "metadata", .string, "JSON", help: "Any JSON of up to 16 KiB; it comes back in each result.")

    static let wait = Option.flag("wait", help: "Wait for the results, print them, and end with 1 if any is an error.")
    static let waitTimeout = Option.defaulted(
        "wait-timeout", .duration, "TIME", default: "5m", help: "Stop waiting when no result has come for so long.")
    static let resultsTopic = Option.defaulted(
        "results-topic", .string, "NAME", default: "captions.results", help: "Topic of the results.")
    static let output = Option.defaulted(
        "output", ValueFormat<Output>.choice, "auto|table|json", default: "auto",
        help: "Form of results and summary on standard output; auto: a table on a terminal, else JSON lines.")
    static let progress = Option.defaulted(
        "progress", ValueFormat<Console.ProgressStyle>.choice, "auto|bar|json|none", default: "auto",
        help: "Form of the progress on standard error; auto: a bar on a terminal, else a JSON line a second.")

    static let replayDeadLetters = Option.flag(
        "replay-dead-letters", help: "Send requests that failed for good to their topics again, instead of images.")
    static let deadLettersTopic = Option.defaulted(
        "dead-letters-topic", .string, "NAME", default: "captions.dead-letters", help: "Topic of the dead letters.")
    static let code = Option<[ErrorCode]?>.optional(
        "code", .codes, "CODE[,CODE]…", help: "Only those that failed for one of these reasons, e.g. image_not_found.")
    static let since = Option<ReplayFilter.Time?>.optional(
        "since", .time, "TIME", help: "Only those that failed then or later: an RFC 3339 time, or 2h for 2 hours ago.")
    static let until = Option<ReplayFilter.Time?>.optional(
        "until", .time, "TIME", help: "Only those that failed before then.")
    static let dryRun = Option.flag("dry-run", help: "List what would be sent, and send nothing.")
    static let replayGroup = Option.defaulted(
        "replay-group", .string, "NAME", default: "kaption-replay",
        help: "Consumer group that remembers what has been replayed.")

    static let command = Command(
        name: "kaption-enqueue",
        abstract: "Enqueues references to images for captioning.",
        discussion: """
            Each image becomes one request on a Kafka topic. Files are taken as named; folders are searched for
            .jpg, .jpeg and .png in order of name (links to folders are not followed); patterns are expanded; '-'
            reads a list from standard input as it comes. A relative path is looked for in the working directory,
            then in the storage folder. Only paths are sent: the workers must see the same storage folder.

            With --resume each acknowledged image is noted in a file, synchronised every second. A start after a
            crash enqueues every image that was not acknowledged, and may repeat the last second's: at least once.

            With --replay-dead-letters the requests in the dead letters are sent to the topics they came from (or to
            --topic), and their results name the failed request in replay_of. The group remembers each dead letter
            that was replayed, so that none is replayed twice, and those that a filter passes over are left for later.

            Exit codes: 0 all delivered (--wait: all captioned), 1 something was not, 2 wrong usage, 3 Kafka cannot
            be reached or a topic is missing, 130 or 143 after Ctrl-C or SIGTERM (what was enqueued is still
            delivered; a second signal ends at once).
            """,
        sections: [
            Section(
                "Kafka",
                [
                    SharedOptions.bootstrapServers, topic, timeout, SharedOptions.oauthTokenFile,
                    SharedOptions.properties,
                ]),
            Section("Images", [storage, rate, resume, null, allFiles, maxInFlight]),
            Section("Requests", [key, batch, model, beam, candidates, maxWords, metadata]),
            Section("Results", [wait, waitTimeout, resultsTopic, output]),
            Section(
                "Dead letters", [replayDeadLetters, deadLettersTopic, code, since, until, dryRun, replayGroup]),
            Section("Logs", [progress, SharedOptions.log, SharedOptions.logLevel]),
        ],
        positionals: Positionals(
            "PATH|GLOB|-…", count: 0...Int.max, help: "Images, folders, patterns, or '-' for a list on standard input."),
        secrets: Secret.kafka,
        examples: [
            Example(
                "All photographs below a folder",
                "kaption-enqueue --bootstrap-servers localhost:9092 --storage /photos /photos"),
            Example(
                "Caption some and show the captions",
                "kaption-enqueue --bootstrap-servers localhost:9092 --storage /photos --wait '/photos/2026/*.jpg'"),
            Example(
                "A million, 500 a second, safe to stop and start again",
                "find /photos -name '*.jpg' -print0 | kaption-enqueue --bootstrap-servers localhost:9092 "
                    + "--storage /photos --rate 500 --resume photos.resume -0 -"),
            Example(
                "The images are there now: try again what was missing since yesterday",
                "kaption-enqueue --bootstrap-servers localhost:9092 --replay-dead-letters --code image_not_found --since 1d"
            ),
        ])
}
