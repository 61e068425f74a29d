import Foundation
import Synchronization

/// What must not outlive the harness: it is ended when the harness is interrupted.
enum Cleanup {
    private struct State: Sendable {
        var processes: Set<pid_t> = []
        var cluster: KafkaCluster?
    }

    private static let state = Mutex(State())
    /// Signal handlers may do little more than write to a pipe; a thread reads it. (Blocked signals would stay blocked in
    /// the brokers and workers that are started.)
    private static let signals = Pipe()
    private static let signalsInput = signals.fileHandleForWriting.fileDescriptor

    static func add(_ process: pid_t) { state.withLock { _ = $0.processes.insert(process) } }
    static func remove(_ process: pid_t) { state.withLock { _ = $0.processes.remove(process) } }
    static func set(_ cluster: KafkaCluster?) { state.withLock { $0.cluster = cluster } }

    /// On SIGINT and SIGTERM kills the workers, wipes the brokers and ends the process with 128 + n.
    static func watchSignals() {
        for handle in [signals.fileHandleForReading, signals.fileHandleForWriting] {
            _ = fcntl(handle.fileDescriptor, F_SETFD, FD_CLOEXEC)
        }
        _ = signalsInput
        for number in [SIGINT, SIGTERM] {
            signal(number) { number in
                var byte = UInt8(number)
                _ = write(Cleanup.signalsInput, &byte, 1)
            }
        }
        Thread.detachNewThread {
            var byte: UInt8 = 0
            while read(signals.fileHandleForReading.fileDescriptor, &byte, 1) != 1 {}
            let (processes, cluster) = state.withLock { ($0.processes, $0.cluster) }
            for process in processes { kill(process, SIGKILL) }
            try? cluster?.wipe()
            _exit(128 + Int32(byte))
        }
    }
}
