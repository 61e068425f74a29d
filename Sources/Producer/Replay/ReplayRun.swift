import CommandLineOptions
import Foundation
import Messaging
import Telemetry

/// One start of `kaption-enqueue --replay-dead-letters`, from the parsed command line to the exit code.
struct ReplayRun {
    private let options: ParsedOptions
    private let console: Console
    private let reporter: Reporter
    private let interruption: Interruption
    private let start = ContinuousClock.now

    init(_ options: ParsedOptions, interruption: Interruption) {
        self.options = options
        self.interruption = interruption
        console = Console(style: options[EnqueueOptions.progress], interruption: interruption)
        let logger = Logger(
            label: "kaption-enqueue", form: options[SharedOptions.log], level: options[SharedOptions.logLevel])
        reporter = Reporter(logger: logger, console: console)
    }

    /// Throws `UsageError` before anything is sent; every other trouble is logged and ends up in the exit code.
    func run() throws(UsageError) -> ExitCode {
        try checkOptions()
        let filter = try ReplayFilter(options)
        do {
            let session = try makeSession(filter)
            do {
                try session.run()
            } catch let error where (error as? KafkaError)?.category != .configuration {
                // What was done until then is told all the same.
                return finish(session.report, failing(error))
            }
            return finish(session.report, exitCode(of: session))
        } catch let error as KafkaError where error.category == .configuration {
            throw UsageError(error.message)
        } catch {
            return finish(ReplayReport(isDryRun: isDryRun), failing(error))
        }
    }

    private var isDryRun: Bool { options[EnqueueOptions.dryRun] }

    /// What is said of images says nothing here.
    private func checkOptions() throws(UsageError) {
        if !options.positionals.isEmpty { throw UsageError("--replay-dead-letters takes no images") }
        let others: [(String, Bool)] = [
            ("--wait", options[EnqueueOptions.wait]), ("--resume", options[EnqueueOptions.resume] != nil),
            ("--batch", options[EnqueueOptions.batch] != nil), ("--model", options[EnqueueOptions.model] != nil),
            ("--beam", options[EnqueueOptions.beam] != nil), ("--metadata", options[EnqueueOptions.metadata] != nil),
            ("--candidates", options[EnqueueOptions.candidates] != nil),
            ("--max-words", options[EnqueueOptions.maxWords] != nil),
        ]
        if replayTarget == options[EnqueueOptions.deadLettersTopic] {
            throw UsageError("--topic is the topic of the dead letters: nobody would answer them there")
        }
        for (flag, isGiven) in others where isGiven {
            throw UsageError("\(flag) does not go with --replay-dead-letters: the requests are sent as they were")
        }
    }

    /// `--topic` has a default for images; requests that are replayed go where they came from.
    private var replayTarget: String? {
        options.source(of: EnqueueOptions.topic) == .standard ? nil : options[EnqueueOptions.topic]
    }

    private func makeSession(_ filter: ReplayFilter) throws -> ReplaySession {
        let timeout = options[EnqueueOptions.timeout]
        let source = options[EnqueueOptions.deadLettersTopic]
        let target = replayTarget
        let access = try KafkaAccess(
            options,
            rights: [
                .readTopic(source), .writeTopic(target ?? options[EnqueueOptions.topic]),
                .readGroup(options[EnqueueOptions.replayGroup]),
            ], reporter: reporter)
        let topics = [source] + (target.map { [$0] } ?? [])
        let partitions = try access.partitionCounts(of: topics, timeout: timeout, interruption: interruption)
        return try ReplaySession(
            access.configuration,
            ReplaySession.Context(
                deadLettersTopic: source, target: target, knownTopics: Set(partitions.keys),
                partitionCount: partitions[source] ?? 0, group: options[EnqueueOptions.replayGroup], filter: filter,
                isDryRun: isDryRun, rate: options[EnqueueOptions.rate], timeout: timeout, interruption: interruption,
                reporter: reporter,
                onListed: { [console, printsTable] line in console.print((printsTable ? line.table : line.json).utf8) })
        )
    }

    private var printsTable: Bool {
        switch options[EnqueueOptions.output] {
        case .auto: isatty(STDOUT_FILENO) == 1
        case .table: true
        case .json: false
        }
    }

    private func failing(_ error: any Error) -> ExitCode {
        if let interruptionCode { return interruptionCode }
        if let failure = error as? ReplayFailure {
            reporter.log(.critical, "cannot replay", ["reason": "\(failure)"])
            return .failed
        }
        reporter.unusable(error)
        return .kafka
    }

    private func exitCode(of session: ReplaySession) -> ExitCode {
        if let interruptionCode { return interruptionCode }
        let total = session.report.total
        if total.failed > 0, total.replayed == 0, reporter.sawAccessFailure { return .kafka }
        return total.failed > 0 || total.impossible > 0 || session.isIncomplete ? .failed : .done
    }

    private var interruptionCode: ExitCode? {
        switch interruption.cause {
        case .signal(let number):
            return .signal(number)
        case .failure(let reason):
            reporter.log(.critical, "stopped", ["reason": "\(reason)"])
            return reporter.sawRefusal ? .kafka : .failed
        case nil:
            return nil
        }
    }

    /// Prints the summary.
    private func finish(_ report: ReplayReport, _ code: ExitCode) -> ExitCode {
        let seconds = (ContinuousClock.now - start) / .seconds(1)
        let text =
            printsTable ? report.table(seconds: seconds) : report.json(seconds: seconds, exitCode: code.rawValue)
        console.print(text.utf8)
        return code
    }
}
