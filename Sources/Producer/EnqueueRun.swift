import CommandLineOptions
import Foundation
import Messaging
import Telemetry

/// One start of `kaption-enqueue`, from the parsed command line to the exit code.
struct EnqueueRun {
    private let options: ParsedOptions
    private let console: Console
    private let reporter: Reporter
    private let interruption: Interruption
    private let tally = Tally()
    private let start = ContinuousClock.now
    private let printsTable: Bool
    private let waits: Bool

    init(_ options: ParsedOptions, interruption: Interruption) {
        self.options = options
        self.interruption = interruption
        console = Console(style: options[EnqueueOptions.progress], interruption: interruption)
        let logger = Logger(
            label: "kaption-enqueue", form: options[SharedOptions.log], level: options[SharedOptions.logLevel])
        reporter = Reporter(logger: logger, console: console)
        waits = options[EnqueueOptions.wait]
        switch options[EnqueueOptions.output] {
        case .auto: printsTable = isatty(STDOUT_FILENO) == 1
        case .table: printsTable = true
        case .json: printsTable = false
        }
    }

    /// Throws `UsageError` before anything is sent; every other trouble is logged and ends up in the exit code.
    func run() throws(UsageError) -> ExitCode {
        try checkPresence()
        let run = RunIdentity()
        let template = try RequestTemplate(options, run: run)
        let root = try StorageRoot(options[EnqueueOptions.storage] ?? "")
        let topic = options[EnqueueOptions.topic]
        let resume = try options[EnqueueOptions.resume].map { path throws(UsageError) in
            try ResumeFile(path: path, topic: topic)
        }
        let enqueuer = Enqueuer(
            topic: topic, template: template,
            inFlight: InFlight(limit: options[EnqueueOptions.maxInFlight], interruption: interruption), tally: tally,
            awaited: waits ? SequenceSet() : nil, resume: resume, interruption: interruption, reporter: reporter)
        do {
            return finish(try send(with: enqueuer, root: root))
        } catch let error as KafkaError where error.category == .configuration {
            throw UsageError(error.message)
        } catch {
            if let code = interruptionCode { return finish(code) }
            reporter.unusable(error)
            return finish(.kafka)
        }
    }

    /// What only a replay does without.
    private func checkPresence() throws(UsageError) {
        if options[EnqueueOptions.storage] == nil {
            throw UsageError("--storage DIR is missing; give it, or KAPTION_STORAGE in the environment")
        }
        if options.positionals.isEmpty { throw UsageError("PATH|GLOB|-… is missing") }
        let isReplay =
            options[EnqueueOptions.dryRun] || options[EnqueueOptions.code] != nil
            || options[EnqueueOptions.since] != nil || options[EnqueueOptions.until] != nil
        if isReplay { throw UsageError("--dry-run, --code, --since and --until go with --replay-dead-letters") }
    }

    private func send(with enqueuer: Enqueuer, root: StorageRoot) throws -> ExitCode {
        var rights = [KafkaRight.writeTopic(enqueuer.topic)]
        if waits { rights += [.readTopic(options[EnqueueOptions.resultsTopic]), .readGroup("kaption-enqueue-<run>")] }
        let access = try KafkaAccess(options, rights: rights, reporter: reporter)
        let timeout = options[EnqueueOptions.timeout]
        let topics = [enqueuer.topic] + (waits ? [options[EnqueueOptions.resultsTopic]] : [])
        let partitions = try access.partitionCounts(of: topics, timeout: timeout, interruption: interruption)
        let follower = try follow(access, enqueuer, partitions: partitions)
        let producer = try enqueuer.makeProducer(access.configuration, timeout: timeout)

        let filter: DirectoryWalk.Filter = options[EnqueueOptions.allFiles] ? .all : .images
        let total = countImages(root: root, filter: filter)
        let tickers = startTickers(total: total, resume: enqueuer.resume)
        let endsWithNUL = options[EnqueueOptions.null]
        var paths = ImagePaths(options.positionals, root: root, filter: filter) { [interruption] in
            PathList(descriptor: STDIN_FILENO, endsWithNUL: endsWithNUL, interruption: interruption)
        }
        enqueuer.run(&paths, producer: producer, rate: options[EnqueueOptions.rate])
        // Every request is acknowledged or given up within the timeout; a little more lets the client say so.
        producer.close(deadline: timeout + .seconds(5))
        follower?.finish()
        for ticker in tickers { ticker.stop() }
        syncResumeFile(enqueuer.resume)
        return exitCode
    }

    private func follow(
        _ access: KafkaAccess, _ enqueuer: Enqueuer, partitions: [String: Int]
    ) throws -> ResultFollower? {
        guard let awaited = enqueuer.awaited else { return nil }
        let topic = options[EnqueueOptions.resultsTopic]
        if printsTable { console.print(Answer.tableHeader.utf8) }
        return try ResultFollower(
            access.configuration,
            ResultFollower.Context(
                topic: topic, partitionCount: partitions[topic] ?? 0, run: enqueuer.template.run, awaited: awaited,
                patience: options[EnqueueOptions.waitTimeout], timeout: options[EnqueueOptions.timeout],
                interruption: interruption,
                onAnswer: { [tally, console, printsTable] answer, json in
                    tally.add(answer.isOK ? \.ok : \.errors)
                    let newlines = [UInt8(ascii: "\n"), UInt8(ascii: "\r")]
                    // In JSON a newline can only stand where a space can.
                    console.print(
                        printsTable ? Array(answer.tableRow.utf8) : json.map { newlines.contains($0) ? 0x20 : $0 })
                },
                onTrouble: { [reporter] error in reporter.kafka(error) }))
    }

    /// Counts ahead on a thread of its own, for the estimate of the time left; a list on standard input cannot be
    /// counted.
    private func countImages(root: StorageRoot, filter: DirectoryWalk.Filter) -> PathTotal {
        let total = PathTotal()
        if console.style == .none || options.positionals.contains("-") { return total }
        let (arguments, interruption) = (options.positionals, interruption)
        let thread = Thread {
            var paths = ImagePaths(arguments, root: root, filter: filter)
            var count = 0
            while !interruption.isRaised, let path = paths.next() { if case .image = path { count += 1 } }
            if !interruption.isRaised { total.set(count) }
        }
        thread.name = "count"
        thread.start()
        return total
    }

    private func startTickers(total: PathTotal, resume: ResumeFile?) -> [Ticker] {
        var tickers: [Ticker] = []
        if console.style != .none {
            let meter = SharedRateMeter()
            let interval: Duration = console.style == .bar ? .milliseconds(200) : .seconds(1)
            tickers.append(
                Ticker("progress", every: interval) { [tally, start, waits, console] in
                    let elapsed = ContinuousClock.now - start
                    var snapshot = ProgressSnapshot(
                        counts: tally.current, total: total.value, elapsed: elapsed, waitsForAnswers: waits)
                    snapshot.rate = meter.add(snapshot.done - snapshot.counts.skipped, at: elapsed)
                    console.show(snapshot)
                })
        }
        if let resume { tickers.append(Ticker("resume", every: .seconds(1)) { [self] in syncResumeFile(resume) }) }
        return tickers
    }

    private func syncResumeFile(_ resume: ResumeFile?) {
        do {
            try resume?.sync()
        } catch {
            interruption.raise(.failure("the resume file cannot be written: \(error)"))
        }
    }

    /// Prints the summary.
    private func finish(_ code: ExitCode) -> ExitCode {
        if case .failure(let reason) = interruption.cause {
            reporter.log(.critical, "stopped", ["reason": "\(reason)"])
        }
        let snapshot = ProgressSnapshot(
            counts: tally.current, elapsed: ContinuousClock.now - start, waitsForAnswers: waits)
        let line = printsTable ? snapshot.summary : snapshot.json(event: "summary", exitCode: code.rawValue)
        console.print(line.utf8)
        return code
    }

    private var interruptionCode: ExitCode? {
        switch interruption.cause {
        case .signal(let number): .signal(number)
        case .failure: reporter.sawRefusal ? .kafka : .failed
        case nil: nil
        }
    }

    private var exitCode: ExitCode {
        if let interruptionCode { return interruptionCode }
        let counts = tally.current
        if counts.failed > 0, counts.delivered == 0, reporter.sawAccessFailure { return .kafka }
        if counts.rejected > 0 || counts.failed > 0 { return .failed }
        if waits, counts.errors > 0 || counts.answered < counts.delivered { return .failed }
        if counts.enqueued == 0, counts.skipped == 0 { reporter.log(.warning, "no images were found") }
        return .done
    }
}
