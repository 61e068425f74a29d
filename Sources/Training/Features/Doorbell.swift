import Dispatch

/// Wakes a thread that waits for others, which may also wake by itself after a while.
final class Doorbell: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func ring() { semaphore.signal() }

    /// - Parameter timeout: seconds.
    func wait(timeout: Double) { _ = semaphore.wait(timeout: .now() + timeout) }
}
