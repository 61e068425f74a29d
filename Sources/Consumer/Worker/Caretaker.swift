import CommandLineOptions
import Glibc
import Messaging
import Telemetry

/// The thread that looks after the others: gives up reads that hang and replaces their threads, tries a request when the circuit
/// breaker is open, ends the worker when a thread of the pool hangs, and forgets suspects that are done with. It never waits
/// for anyone itself.
struct Caretaker: Sendable {
    /// Threads whose calls into the storage may hang.
    struct Crew: Sendable {
        let supervisor: ReadSupervisor
        /// Starts one more thread.
        let start: @Sendable () throws -> Void

        /// Gives up the calls that hang, and starts the threads that are missing; at the start, all.
        func replaceHung(logger: Logger) {
            supervisor.giveUpLateCalls()
            for _ in 0..<supervisor.vacancies() {
                do {
                    try start()
                } catch {
                    supervisor.leaveVacant()
                    logger.error("an I/O thread cannot be replaced", metadata: ["error": .string("\(error)")])
                }
            }
        }
    }

    private static let tidyInterval = Duration.seconds(5)
    /// What the worker gets to commit and leave its group before a hang ends it.
    private static let endAfterHang = Duration.seconds(15)

    let clock: RunningClock
    let storage: Storage
    let readers: Crew
    let probe: Crew
    let desk: AnswerDesk
    let watch: PoolWatch
    let journal: CrashJournal?
    let ledger: Ledger<Answer>
    let stop: StopRequest
    let logger: Logger

    /// Works until the process ends.
    func run() -> Never {
        var nextTidy = MonotonicTime.now
        var end: MonotonicTime?
        while true {
            clock.advance()
            for crew in [readers, probe] { crew.replaceHung(logger: logger) }
            storage.exhausted(readers.supervisor.isExhausted)
            desk.tryOneIfDue()
            if end == nil, let hang = watch.hang() {
                end = .now + Self.endAfterHang
                condemn(hang)
            }
            if let end, MonotonicTime.now > end {
                logger.critical("the worker could not leave in good order after a hang")
                _exit(ExitCode.failed.rawValue)
            }
            if MonotonicTime.now >= nextTidy {
                nextTidy = .now + Self.tidyInterval
                journal?.tidy { ledger.confirmedCommit(of: $0) }
            }
            usleep(UInt32(RunningClock.interval.milliseconds * 1000))
        }
    }

    private func condemn(_ hang: PoolWatch.Hang) {
        journal?.condemn(slots: hang.slots)
        logger.critical(
            "a thread of the pool does not come back; the worker ends itself, to be started again",
            metadata: [
                "requests": .string(hang.requests.joined(separator: " ")), "seconds": .number(hang.seconds),
                "journal": .boolean(journal != nil),
            ])
        stop.request(
            .failure(.init(.failed, "captioning did not come to an end: \(hang.requests.joined(separator: " "))")))
    }
}
