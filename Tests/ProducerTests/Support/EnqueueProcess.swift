import Foundation
import TestSupport

/// `kaption-enqueue` as a process of its own, all three streams at hand. Its outputs go to files, so that it never waits for the
/// test to read them; it is killed when the object goes.
final class EnqueueProcess {
    struct Outcome {
        var output: String
        var errors: String
        /// The exit code, or 128 + the signal that ended it.
        var status: Int32

        var lines: [String] { output.split(separator: "\n").map(String.init) }
    }

    struct NotStarted: Error {
        let reason: String
    }

    let processIdentifier: pid_t
    private let folder: TemporaryDirectory
    private let input: FileHandle?
    /// What waitpid(2) said; nil while it runs.
    private var status: Int32?

    /// - Parameter input: nil leaves standard input open, for `write`.
    init(_ arguments: [String], input: Data? = Data()) throws {
        folder = try TemporaryDirectory()
        let output = try FileHandle(forWritingTo: try folder.write("output", Data()))
        let errors = try FileHandle(forWritingTo: try folder.write("errors", Data()))
        let pipe = input == nil ? Pipe() : nil
        let source =
            try pipe?.fileHandleForReading
            ?? FileHandle(forReadingFrom: try folder.write("input", input ?? Data()))
        self.input = pipe?.fileHandleForWriting
        if let writer = self.input { _ = fcntl(writer.fileDescriptor, F_SETFD, FD_CLOEXEC) }
        processIdentifier = try Self.spawn(
            [ChildProcess.product("kaption-enqueue").path] + arguments,
            descriptors: [source.fileDescriptor, output.fileDescriptor, errors.fileDescriptor])
    }

    /// Runs it to the end.
    static func run(_ arguments: [String]) throws -> Outcome { try EnqueueProcess(arguments).wait() }

    deinit {
        if isRunning { kill(processIdentifier, SIGKILL) }
        _ = waitForExit(options: 0)
    }

    var output: String { text("output") }
    var errors: String { text("errors") }

    var isRunning: Bool { waitForExit(options: WNOHANG) == nil }

    func write(_ text: String) { input?.write(Data(text.utf8)) }

    func send(signal: Int32) { if isRunning { kill(processIdentifier, signal) } }

    /// Waits for the end.
    func wait() -> Outcome {
        let status = waitForExit(options: 0) ?? 0
        let signal = status & 0x7f
        return Outcome(
            output: output, errors: errors, status: signal == 0 ? status >> 8 & 0xff : 128 + signal)
    }

    private func text(_ name: String) -> String {
        let data = (try? Data(contentsOf: folder.url.appendingPathComponent(name))) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    private func waitForExit(options: Int32) -> Int32? {
        if status == nil {
            var raw: Int32 = 0
            var result: pid_t
            repeat { result = waitpid(processIdentifier, &raw, options) } while result < 0 && errno == EINTR
            if result == processIdentifier { status = raw }
        }
        return status
    }

    /// Signals are the program's own again, whatever the test process did with them.
    private static func spawn(
        _ words: [String], descriptors: [Int32]
    ) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for (target, descriptor) in descriptors.enumerated() {
            posix_spawn_file_actions_adddup2(&actions, descriptor, Int32(target))
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let argv = words.map { strdup($0) } + [nil]
        defer { argv.forEach { free($0) } }
        var identifier: pid_t = 0
        let code = posix_spawn(&identifier, words[0], &actions, &attributes, argv, environ)
        if code != 0 { throw NotStarted(reason: String(cString: strerror(code))) }
        return identifier
    }
}
