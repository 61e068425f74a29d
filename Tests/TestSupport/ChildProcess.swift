import Foundation

/// Another program that runs beside a test; killed when the value goes.
/// `@unchecked Sendable`: `Process` and the pipe are made and started in `init`, and only asked or signalled afterwards.
public final class ChildProcess: @unchecked Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public var description: String
    }

    private let process = Process()
    private let output = Pipe()

    /// Starts a program; its standard error is the test's own.
    public init(_ program: URL, _ arguments: [String] = [], environment: [String: String] = [:]) throws {
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        try process.run()
    }

    deinit { if process.isRunning { kill(process.processIdentifier, SIGKILL) } }

    public var processIdentifier: Int32 { process.processIdentifier }

    /// Reads standard output until a line begins so; returns the rest of that line.
    public func line(after prefix: String) throws -> String {
        var text = Data()
        while true {
            let more = output.fileHandleForReading.availableData
            if more.isEmpty { throw Failure(description: "the program ended without a line '\(prefix)…'") }
            text.append(more)
            for line in String(decoding: text, as: UTF8.self).split(separator: "\n") where line.hasPrefix(prefix) {
                return String(line.dropFirst(prefix.count))
            }
        }
    }

    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end; returns the exit code.
    @discardableResult
    public func wait() -> Int32 {
        process.waitUntilExit()
        return process.terminationStatus
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
        let process = Process()
        process.executableURL = program
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = try FileHandle(forReadingFrom: files.write("input", input))
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
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

/// Waits until a condition holds, looking every few milliseconds; returns whether it came to hold in time.
public func eventually(within timeout: Duration = .seconds(20), _ condition: () throws -> Bool) rethrows -> Bool {
    let end = ContinuousClock().now + timeout
    repeat {
        if try condition() { return true }
        usleep(5000)
    } while ContinuousClock().now < end
    return false
}
