import CommandLineOptions
import Foundation
import TestSupport

/// `FaultHarness`: proves the worker's promises on a real Kafka under faults.
@main
struct FaultHarness {
    static func main() {
        let command = HarnessOptions.command
        let options = command.parseOrExit()
        if options[HarnessOptions.listFaults] {
            for kind in FaultKind.allCases { print(kind.rawValue) }
            ExitCode.done.exit()
        }
        do {
            let harness = try FaultHarness(options)
            if options[HarnessOptions.schedule] {
                harness.showSchedules()
                ExitCode.done.exit()
            }
            Cleanup.watchSignals()
            (try harness.run() ? ExitCode.done : .failed).exit()
        } catch let error as UsageError {
            command.fail(error)
        } catch {
            FileHandle.standardError.write(Data("chaos: \(error)\n".utf8))
            ExitCode.failed.exit()
        }
    }

    private let scenario: HarnessOptions.Scenario
    private let settings: RunSettings
    private let seeds: [Int]
    private let results: ResultsFile?

    private init(_ options: ParsedOptions) throws(UsageError) {
        scenario = options[HarnessOptions.scenario]
        let only = options[HarnessOptions.only] ?? FaultKind.allCases
        let except = options[HarnessOptions.except] ?? []
        settings = RunSettings(
            mode: options[HarnessOptions.mode], seed: 0, requests: options[HarnessOptions.requests],
            workers: options[HarnessOptions.workers], faults: options[HarnessOptions.faults],
            brokers: options[HarnessOptions.brokers],
            kinds: scenario == .killAll ? [.killAllWorkers] : only.filter { !except.contains($0) },
            rate: options[HarnessOptions.rate], isStatic: options[HarnessOptions.staticMembers],
            model: options[HarnessOptions.model],
            programs: ChildProcess.product("kaption-worker").deletingLastPathComponent(),
            kafkaLocal: URL(fileURLWithPath: options[HarnessOptions.kafkaLocal]),
            logs: URL(fileURLWithPath: options[HarnessOptions.logs]), keepsLogs: options[HarnessOptions.keepLogs],
            workerArguments: options.positionals,
            isVerbose: !options[HarnessOptions.quiet])
        guard FileManager.default.isExecutableFile(atPath: settings.kafkaLocal.path) else {
            throw UsageError(
                "there is no program \(options[HarnessOptions.kafkaLocal]); --kafka-local names one that starts brokers, "
                    + "see docs/chaos.md")
        }
        if settings.brokers == 2 { throw UsageError("--brokers takes 1 or 3") }
        if settings.kinds.isEmpty, settings.faults > 0 { throw UsageError("no fault is left to draw from") }
        let range = options[HarnessOptions.seeds]
        seeds = range.map(Array.init) ?? [options[HarnessOptions.seed] ?? 1]
        results = options[HarnessOptions.resume].map { ResultsFile(url: URL(fileURLWithPath: $0)) }
    }

    private func showSchedules() {
        for seed in seeds {
            let schedule = Schedule(
                seed: UInt64(seed), count: settings.faults, kinds: settings.kinds, shape: settings.shape)
            print("seed \(seed)")
            for entry in schedule.entries {
                print("  after \(entry.gap.text), \(entry.kind.rawValue): \(entry.fault)")
            }
        }
    }

    /// Runs all seeds; whether every one passed.
    private func run() throws -> Bool {
        let passed = results?.passed(in: settings.mode) ?? []
        var isPassed = true
        for seed in seeds where !passed.contains(seed) {
            var settings = settings
            settings.seed = seed
            let report: RunReport
            if scenario == .rollingRestart {
                let (measured, steps) = try RollingRestart(settings: settings).run()
                for step in steps { print(step.line) }
                report = measured
            } else {
                report = try FaultRun(settings: settings).run()
            }
            print(report.line)
            fflush(nil)
            try results?.append(report.line)
            tell(report)
            isPassed = isPassed && report.isPassed
        }
        return isPassed
    }

    private func tell(_ report: RunReport) {
        var text = report.objections.map { "seed \(report.seed) failed: \($0)\n" }.joined()
        if let logs = report.logs { text += "seed \(report.seed): the logs are in \(logs.path)\n" }
        if let missing = report.findings?.missing, !missing.isEmpty {
            let places = missing.prefix(20).map { "\($0.partition)@\($0.offset)" }.joined(separator: " ")
            text += "seed \(report.seed): missing (partition@offset): \(places)\n"
        }
        FileHandle.standardError.write(Data(text.utf8))
    }
}

extension RollingRestart.Step {
    var line: String {
        "restart of worker \(slot): longest gap of \(untouched) untouched partitions \(gap.text), first answer "
            + "\(resumption.text) after its start, \(rebalances) changes of assignment in the other workers' logs"
    }
}
