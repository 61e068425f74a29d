import CommandLineOptions

/// Why the worker cannot begin or go on, and what it tells its caller.
struct WorkerFailure: Error, CustomStringConvertible {
    let exitCode: ExitCode
    let description: String

    init(_ exitCode: ExitCode, _ description: String) {
        self.exitCode = exitCode
        self.description = description
    }
}
