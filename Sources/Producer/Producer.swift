import CommandLineOptions
import Foundation

@main
struct Producer {
    static func main() {
        let options = EnqueueOptions.command.parseOrExit()
        // Writing to a reader that is gone is an error, not the end.
        signal(SIGPIPE, SIG_IGN)
        do {
            let interruption = try Interruption()
            interruption.takeSignals()
            if options[EnqueueOptions.replayDeadLetters] {
                try ReplayRun(options, interruption: interruption).run().exit()
            }
            try EnqueueRun(options, interruption: interruption).run().exit()
        } catch let error as UsageError {
            EnqueueOptions.command.fail(error)
        } catch {
            FileHandle.standardError.write(Data("kaption-enqueue: \(error)\n".utf8))
            ExitCode.failed.exit()
        }
    }
}
