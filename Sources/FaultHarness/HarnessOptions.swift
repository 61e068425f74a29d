import CommandLineOptions
import Foundation

/// The command line of `FaultHarness`, which `scripts/chaos.sh` passes on.
enum HarnessOptions {
    enum Scenario: String, Sendable, CaseIterable {
        case faults
        case killAll = "kill-all"
        case rollingRestart = "rolling-restart"
    }

    static let scenario = Option.defaulted(
        "scenario", ValueFormat<Scenario>.choice, "NAME", default: "faults",
        help: "faults: what the seed draws; kill-all: kill -9 of every worker at once, each time; rolling-restart: all "
            + "workers one after another, with its stalls measured.")
    static let mode = Option.defaulted(
        "mode", ValueFormat<DeliveryMode>.choice, "MODE", default: "at-least-once",
        help: "The workers' --delivery, and the promise that is checked: at-least-once or exactly-once.")
    static let seed = Option.optional("seed", .integer(0...1_000_000_000), "N", help: "One seed. Default: 1.")
    static let seeds = Option.optional("seeds", .seedRange, "A-B", help: "Several seeds, one after another.")
    static let resume = Option.optional(
        "resume", .string, "FILE", help: "Append a line a seed to FILE, and leave out seeds that have passed in it.")

    static let requests = Option.defaulted(
        "requests", .integer(20...10_000_000), "N", default: "5000", help: "Requests of a seed.")
    static let rate = Option.optional(
        "rate", .number(0.1...100_000), "N",
        help: "Requests a second at most. Default: such that they last as long as the faults.")
    static let workers = Option.defaulted(
        "workers", .integer(1...16), "N", default: "3", help: "Workers, each with one thread.")
    static let faults = Option.defaulted("faults", .integer(0...1000), "N", default: "10", help: "Faults of a seed.")
    static let only = Option.optional(
        "only", .faultKinds, "FAULT,…", help: "Draw from these faults alone; --list-faults names all.")
    static let except = Option.optional("except", .faultKinds, "FAULT,…", help: "Never draw these faults.")
    static let listFaults = Option.flag("list-faults", help: "Name the faults, one a line, and end.")
    static let schedule = Option.flag("schedule", help: "Show what the seeds would do, and end.")
    static let staticMembers = Option.flag("static-members", help: "Workers are static members (--instance-id).")

    static let brokers = Option.defaulted(
        "brokers", .integer(1...3), "N", default: "1", help: "Kafka brokers, 1 or 3.")
    static let kafkaLocal = Option.defaulted(
        "kafka-local", .string, "PATH", default: "../shared/kafka/kafka-local",
        help: "Program that starts and stops the brokers.")
    static let model = Option.defaulted(
        "model", .string, "DIR", default: "Models/kaption-small", help: "The workers' model bundle.")
    static let logs = Option.defaulted(
        "logs", .string, "DIR", default: FileManager.default.temporaryDirectory.path + "/kaption-chaos",
        help: "Folder for a run's data and logs; those of a failed seed stay.")
    static let keepLogs = Option.flag("keep-logs", help: "Keep the logs of seeds that passed, too.")
    static let quiet = Option.flag("quiet", help: "Say nothing but the line a seed.")

    static let command = Command(
        name: "chaos.sh",
        abstract: "breaks workers, brokers and storage under load, and checks that no request was lost or doubled.",
        discussion: """
            For each seed a Kafka of its own is started, and workers; requests flow while faults strike. Then everything is
            read back (read_committed) and compared with a ledger of what Kafka had accepted. One line a seed says what
            was found. A seed stands for one schedule: which faults, when, and on whom. What follows -- goes to the
            workers.

            Ends with 0 if every seed passed, 1 if one did not (the folder with its logs is named), 2 for wrong usage.
            """,
        sections: [
            Section("What is checked", [scenario, mode, seed, seeds, resume]),
            Section(
                "Load and faults", [requests, rate, workers, staticMembers, faults, only, except, listFaults, schedule]),
            Section("Around it", [brokers, kafkaLocal, model, logs, keepLogs, quiet]),
        ],
        positionals: Positionals(
            "WORKER-OPTION…", count: 0...Int.max, help: "After --: further options of the workers."),
        examples: [
            Example("One seed of each mode", "scripts/chaos.sh; scripts/chaos.sh --mode exactly-once"),
            Example("Ten seeds, to be gone on with tomorrow", "scripts/chaos.sh --seeds 1-10 --resume chaos.txt"),
            Example(
                "Nothing but zombies and broker crashes, three brokers",
                "scripts/chaos.sh --seed 7 --brokers 3 --only freeze-worker,kill-broker"),
            Example("Kill every worker ten times", "scripts/chaos.sh --scenario kill-all --mode exactly-once"),
            Example(
                "A deployment's restart, static members",
                "scripts/chaos.sh --scenario rolling-restart --static-members"),
        ])
}

extension ValueFormat where Value == ClosedRange<Int> {
    /// `1-10`
    static var seedRange: Self {
        ValueFormat { text throws(UsageError) in
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
            guard ends.count == 2, let first = ends[0], let last = ends[1], first <= last, last <= 1_000_000_000 else {
                throw UsageError("'\(text)' is not a range of seeds; give for example 1-10")
            }
            return first...last
        }
    }
}

extension ValueFormat where Value == [FaultKind] {
    /// Names with commas between.
    static var faultKinds: Self {
        ValueFormat { text throws(UsageError) in
            var kinds: [FaultKind] = []
            for name in text.split(separator: ",") {
                guard let kind = FaultKind(rawValue: String(name)) else {
                    let known = FaultKind.allCases.map(\.rawValue).joined(separator: ", ")
                    throw UsageError("'\(name)' is not a fault; give \(known)")
                }
                kinds.append(kind)
            }
            if kinds.isEmpty { throw UsageError("no fault is named") }
            return kinds
        }
    }
}
