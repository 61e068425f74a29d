import Dispatch
import Synchronization

/// The requests that Kafka has not acknowledged yet, with the image of each: never more than `limit`.
final class InFlight: Sendable {
    private let images = Mutex<[UInt64: String]>([:])
    private let places = DispatchSemaphore(value: 0)

    init(limit: Int, interruption: Interruption) {
        // A semaphore must not end with less than it began with: begin at 0 and fill it.
        for _ in 0..<limit { places.signal() }
        interruption.onRaise { [places] in places.signal() }
    }

    /// Waits for a place, or for the interruption.
    func waitForPlace() { places.wait() }

    /// Takes the place that was waited for.
    func begin(_ token: UInt64, image: String) { images.withLock { $0[token] = image } }

    /// Frees the place; returns the image.
    func end(_ token: UInt64) -> String? {
        defer { places.signal() }
        return images.withLock { $0.removeValue(forKey: token) }
    }
}
