import Foundation
import TestSupport

/// The workers of one run: each has a slot, and may be started there many times. It belongs to the thread that strikes the
/// faults.
///
/// A worker that ends by itself is noted as a failure and started again, as a supervisor would do.
final class WorkerCrew {
    struct Settings: Sendable {
        var program: URL
        /// What all workers have in common.
        var arguments: [String]
        /// Whether workers are static members, `--instance-id worker-N`.
        var isStatic = false
        /// Logs, and files of the test hooks.
        var folder: URL
        /// SIGTERM gives a worker 20 s to drain and 5 s to leave its group.
        var stopTimeout = Duration.seconds(45)
    }

    private let settings: Settings
    private let journal: Journal
    private var processes: [Int: ChildProcess] = [:]
    private var starts: [Int: Int] = [:]
    /// What workers did that no worker should do, in words.
    private(set) var misconduct: [String] = []

    init(_ settings: Settings, journal: Journal) {
        self.settings = settings
        self.journal = journal
    }

    /// Slots that have a worker.
    var running: [Int] { processes.keys.sorted() }

    func start(_ slots: [Int]) throws {
        for slot in slots where processes[slot] == nil {
            starts[slot, default: 0] += 1
            let identity = settings.isStatic ? ["--instance-id", "worker-\(slot)"] : []
            let process = try ChildProcess(
                settings.program, settings.arguments + identity,
                environment: ["KAPTION_TEST_HOOKS": "stall-poll-while=\(stallFile(slot).path)"], errors: log(slot))
            processes[slot] = process
            Cleanup.add(process.processIdentifier)
        }
    }

    /// SIGTERM to all of them, and waits for their ends.
    func stop(_ slots: [Int]) {
        for slot in slots { processes[slot]?.signal(SIGTERM) }
        for slot in slots {
            guard let process = processes[slot] else { continue }
            if let code = process.wait(atMost: settings.stopTimeout) {
                if code != 0 { accuse("worker \(slot) ended with \(code) on SIGTERM") }
            } else {
                accuse("worker \(slot) did not end within \(settings.stopTimeout.text) of SIGTERM")
            }
            end(slot)
        }
    }

    /// Kill −9.
    func kill(_ slots: [Int]) {
        for slot in slots { processes[slot]?.signal(SIGKILL) }
        for slot in slots { end(slot) }
    }

    func freeze(_ slot: Int) { processes[slot]?.signal(SIGSTOP) }
    func thaw(_ slot: Int) { processes[slot]?.signal(SIGCONT) }

    func stallPoll(of slot: Int) throws { try Data().write(to: stallFile(slot)) }
    func releasePoll(of slot: Int) { try? FileManager.default.removeItem(at: stallFile(slot)) }

    /// Notes workers that have ended by themselves, and starts them again.
    func supervise() throws {
        for (slot, process) in processes {
            guard let code = process.wait(atMost: .zero) else { continue }
            accuse("worker \(slot) ended by itself with \(code)")
            end(slot)
            try start([slot])
        }
    }

    /// The log of a slot's latest start.
    func log(_ slot: Int) -> URL { log(slot, start: starts[slot, default: 0]) }

    /// The logs of all starts of all workers.
    var logs: [URL] {
        starts.sorted { $0.key < $1.key }.flatMap { slot, count in (1...count).map { log(slot, start: $0) } }
    }

    private func log(_ slot: Int, start: Int) -> URL {
        settings.folder.appendingPathComponent("worker-\(slot)-\(start).log")
    }

    private func stallFile(_ slot: Int) -> URL { settings.folder.appendingPathComponent("stall-\(slot)") }

    private func end(_ slot: Int) {
        guard let process = processes.removeValue(forKey: slot) else { return }
        process.signal(SIGKILL)
        process.wait()
        Cleanup.remove(process.processIdentifier)
    }

    private func accuse(_ text: String) {
        misconduct.append(text)
        journal.note(text)
    }
}
