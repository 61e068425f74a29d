import Foundation
import Synchronization

/// Another program that runs beside a test; killed when the value goes.
///
/// It is started by `posix_spawn`, not by Foundation's `Process`, which waits for every descendant that inherited a socket of
/// its own: a program that leaves a daemon behind would never end.
public final class ChildProcess: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    public let processIdentifier: pid_t
    private let output: FileHandle
    /// The exit code (128 + n for a signal n), once it was waited for.
    private let exitCode = Mutex<Int32?>(nil)

    /// Starts a program. Without a file for it, its standard error is the test's own.
    public convenience init(
        _ program: URL, _ arguments: [String] = [], environment: [String: String] = [:], errors: URL? = nil
    ) throws {
        if let errors { try Data().write(to: errors) }
        let errors = try errors.map { try FileHandle(forWritingTo: $0) } ?? FileHandle.standardError
        let pipe = Pipe()
        // Other children must not inherit these, or the end of the output would never be seen.
        for handle in [pipe.fileHandleForReading, pipe.fileHandleForWriting] {
            _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        try self.init(
            program, arguments, environment: environment, input: FileHandle.nullDevice,
            output: pipe.fileHandleForWriting, errors: errors, reading: pipe.fileHandleForReading)
        try pipe.fileHandleForWriting.close()
    }

    private init(
        _ program: URL, _ arguments: [String], environment: [String: String], input: FileHandle, output: FileHandle,
        errors: FileHandle, reading: FileHandle
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (number, handle) in [input, output, errors].enumerated() {
            posix_spawn_file_actions_adddup2(&actions, handle.fileDescriptor, Int32(number))
        }
        let variables = ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var identifier: pid_t = 0
        let code = withCStrings([program.path] + arguments) { arguments in
            withCStrings(variables) { posix_spawn(&identifier, program.path, &actions, nil, arguments, $0) }
        }
        guard code == 0 else { throw Failure(description: "\(program.path): \(String(cString: strerror(code)))") }
        processIdentifier = identifier
        self.output = reading
    }

    deinit {
        if exitCode.withLock({ $0 }) == nil {
            kill(processIdentifier, SIGKILL)
            wait()
        }
    }

    /// Reads standard output until a line begins so; returns the rest of that line.
    public func line(after prefix: String) throws -> String {
        var text = Data()
        while true {
            let more = output.availableData
            if more.isEmpty { throw Failure(description: "the program ended without a line '\(prefix)…'") }
            text.append(more)
            let lines = String(decoding: text, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
            for line in lines.dropLast() where line.hasPrefix(prefix) { return String(line.dropFirst(prefix.count)) }
        }
    }

    public func signal(_ number: Int32) {
        if exitCode.withLock({ $0 }) == nil { kill(processIdentifier, number) }
    }

    /// Waits for its end; returns the exit code, 128 + n if a signal n ended it.
    @discardableResult
    public func wait() -> Int32 {
        exitCode.withLock { known in
            if let known { return known }
            var status: Int32 = 0
            while waitpid(processIdentifier, &status, 0) == -1, errno == EINTR {}
            let signal = status & 0x7F
            let code = signal == 0 ? (status >> 8) & 0xFF : 128 + signal
            known = code
            return code
        }
    }

    /// Its exit code if it has ended or ends within the time; nil if it runs on.
    public func wait(atMost timeout: Duration) -> Int32? {
        var info = siginfo_t()
        let hasEnded = eventually(within: timeout) {
            if exitCode.withLock({ $0 }) != nil { return true }
            info.si_signo = 0
            // Looks without taking the exit code, which `wait` does.
            return waitid(P_PID, id_t(processIdentifier), &info, WEXITED | WNOHANG | WNOWAIT) == 0
                && info.si_signo == SIGCHLD
        }
        return hasEnded ? wait() : nil
    }

    /// Runs a program to its end with some standard input, and returns its standard output.
    /// - Throws: if it does not exit with 0; the error has what it wrote to standard error.
    @discardableResult
    public static func run(
        _ program: URL, _ arguments: [String], input: Data = Data(), environment: [String: String] = [:]
    ) throws -> Data {
        let files = try TemporaryDirectory()
        let output = try files.write("output", Data())
        let errors = try files.write("errors", Data())
        let process = try ChildProcess(
            program, arguments, environment: environment,
            input: FileHandle(forReadingFrom: files.write("input", input)), output: FileHandle(forWritingTo: output),
            errors: FileHandle(forWritingTo: errors), reading: FileHandle.nullDevice)
        guard process.wait() == 0 else {
            let text = String(decoding: (try? Data(contentsOf: errors)) ?? Data(), as: UTF8.self)
            throw Failure(description: "\(program.lastPathComponent) \(arguments.joined(separator: " ")): \(text)")
        }
        return try Data(contentsOf: output)
    }

    /// A program of this package, as the build put it beside the tests.
    public static func product(_ name: String) -> URL {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
            .appendingPathComponent(name)
    }

    /// A program on the search path; nil if it is not installed.
    public static func installed(_ name: String) -> URL? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .map { URL(fileURLWithPath: String($0)).appendingPathComponent(name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }
}

/// Calls `body` with a null-terminated array of C strings, which live as long as the call.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    var copies = strings.map { strdup($0) } + [nil]
    defer { for copy in copies { free(copy) } }
    return copies.withUnsafeMutableBufferPointer { buffer in
        // Never nil: there is the terminating null at least.
        body(buffer.baseAddress.unsafelyUnwrapped)
    }
}

/// Waits until a condition holds, looking every few milliseconds; returns whether it came to hold in time.
public func eventually(within timeout: Duration = .seconds(20), _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock().now + timeout
    repeat {
        if try condition() { return true }
        usleep(5000)
    } while ContinuousClock().now < end
    return false
}
