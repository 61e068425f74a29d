import Foundation
import Synchronization

/// The wish to end early, from a signal or an error. It is raised once and stays; every waiting place of the program can
/// wait for it besides what it waits for.
final class Interruption: Sendable {
    enum Cause: Sendable, Equatable {
        case signal(Int32)
        /// Something without which going on makes no sense, in words.
        case failure(String)
    }

    private let raised = Mutex<Cause?>(nil)
    /// A pipe whose writing end is closed by `raise`: its reading end then wakes every poll(2).
    private let readingEnd: Int32
    private let writingEnd: Int32
    private let observers = Mutex<[@Sendable () -> Void]>([])

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EMFILE) }
        readingEnd = ends[0]
        writingEnd = ends[1]
    }

    deinit {
        close(readingEnd)
        if !isRaised { close(writingEnd) }
    }

    /// Why it was raised; nil while it is not.
    var cause: Cause? { raised.withLock { $0 } }

    var isRaised: Bool { cause != nil }

    /// - Returns: whether this was the first time.
    @discardableResult
    func raise(_ cause: Cause) -> Bool {
        let isFirst = raised.withLock { raised in
            if raised != nil { return false }
            raised = cause
            return true
        }
        guard isFirst else { return false }
        close(writingEnd)
        for observer in observers.withLock({ $0 }) { observer() }
        return true
    }

    /// Calls back when it is raised, on the raising thread; for those that wait for a condition of their own.
    func onRaise(_ observer: @escaping @Sendable () -> Void) {
        observers.withLock { $0.append(observer) }
        if isRaised { observer() }
    }

    /// Waits for a time. Returns whether the time passed without an interruption.
    func wait(_ duration: Duration) -> Bool {
        let end = ContinuousClock.now + duration
        while !isRaised {
            let left = ContinuousClock.now.duration(to: end)
            if left <= .zero { return true }
            var descriptors = [pollfd(fd: readingEnd, events: Int16(POLLIN), revents: 0)]
            // Rounded up: poll counts in milliseconds.
            poll(&descriptors, 1, Int32(clamping: Int((left / .milliseconds(1)).rounded(.up))))
        }
        return false
    }

    /// Waits until a descriptor has input or is at its end. Returns false when interrupted.
    func waitForInput(on descriptor: Int32) -> Bool {
        while !isRaised {
            var descriptors = [
                pollfd(fd: readingEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
            ]
            if poll(&descriptors, 2, -1) > 0, descriptors[0].revents == 0, descriptors[1].revents != 0 { return true }
        }
        return false
    }

    /// From here on SIGINT and SIGTERM raise it; a second one ends the process at once with 128 + its number. To be called
    /// before other threads start, which inherit that these signals wait for the one thread that takes them.
    func takeSignals() {
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGINT)
        sigaddset(&signals, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        let thread = Thread { [self] in
            var awaited = sigset_t()
            sigemptyset(&awaited)
            sigaddset(&awaited, SIGINT)
            sigaddset(&awaited, SIGTERM)
            while true {
                var number: Int32 = 0
                guard sigwait(&awaited, &number) == 0 else { continue }
                if !raise(.signal(number)) { _exit(128 + number) }
            }
        }
        thread.name = "signals"
        thread.start()
    }
}
