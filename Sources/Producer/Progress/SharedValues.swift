import Synchronization

/// How many images there are, once that is known.
final class PathTotal: Sendable {
    private let count = Mutex<Int?>(nil)

    var value: Int? { count.withLock { $0 } }

    func set(_ total: Int) { count.withLock { $0 = total } }
}

/// A rate meter for a closure that several threads could call.
final class SharedRateMeter: Sendable {
    private let meter = Mutex(RateMeter())

    func add(_ total: Int, at time: Duration) -> Double? { meter.withLock { $0.add(total, at: time) } }
}
