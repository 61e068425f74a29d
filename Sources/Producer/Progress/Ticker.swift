import Dispatch

/// Calls a closure at intervals on a queue of its own, until `stop`.
struct Ticker {
    private let timer: any DispatchSourceTimer
    private let queue: DispatchQueue

    init(_ name: String, every interval: Duration, _ body: @escaping @Sendable () -> Void) {
        queue = DispatchQueue(label: name)
        timer = DispatchSource.makeTimerSource(queue: queue)
        let nanoseconds = DispatchTimeInterval.nanoseconds(Int(interval / .nanoseconds(1)))
        timer.schedule(deadline: .now() + nanoseconds, repeating: nanoseconds)
        timer.setEventHandler(handler: body)
        timer.activate()
    }

    /// When it returns, the closure is not running and will not run again.
    func stop() {
        timer.cancel()
        queue.sync {}
    }
}
