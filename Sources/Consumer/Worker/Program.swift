import CommandLineOptions
import Foundation
import Messaging
import Telemetry

@main
struct WorkerProgram {
    static func main() {
        let command = WorkerOptions.command
        let options = command.parseOrExit()
        let logger = Logger(
            label: command.name, form: options[SharedOptions.log], level: options[SharedOptions.logLevel])
        let exitCode: ExitCode
        do {
            try WorkerOptions.checkAvailability(options)
            let hooks = try TestHooks(ProcessInfo.processInfo.environment[TestHooks.variable] ?? "")
            let stop = StopRequest()
            try StopSignals.watch(stop, lastDeadline: Intake.Settings.lastDeadline, logger: logger)
            exitCode = try Worker(options, stop: stop, logger: logger, hooks: hooks).run()
        } catch let error as UsageError {
            command.fail(error)
        } catch let failure as WorkerFailure {
            logger.critical("\(failure)")
            exitCode = failure.exitCode
        } catch {
            logger.critical("\(error)")
            exitCode = .failed
        }
        // Not `exit`: I/O threads may still be in a read that never ends, and C libraries' exit handlers must not run
        // beneath threads that use them.
        fflush(nil)
        _exit(exitCode.rawValue)
    }
}
