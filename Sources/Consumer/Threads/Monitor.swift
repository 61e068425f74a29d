import Glibc

/// A value guarded by a lock that threads can wait on: a pthread mutex and condition variable, because
/// `Synchronization.Mutex` has no condition to wait for and the worker's threads are real ones that may block.
///
/// `@unchecked Sendable`: `state` is only ever touched with the mutex held, and both pthread objects live at fixed
/// addresses from `init` to `deinit`.
final class Monitor<State: Sendable>: @unchecked Sendable {
    /// What a waiting thread does next, decided with the lock held.
    enum Step<Result: Sendable>: Sendable {
        /// The wait is over with this result.
        case finish(Result)
        /// The same, where the state was changed in a way that lets none of the others go on.
        case finishAlone(Result)
        /// Wait until another thread changes the state.
        case wait
        /// The same, but look again at this time at the latest.
        case waitUntil(MonotonicTime)
    }

    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var state: State

    init(_ state: State) {
        self.state = state
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_mutex_init(mutex, nil)
        pthread_cond_init(condition, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(condition)
        pthread_mutex_destroy(mutex)
        condition.deallocate()
        mutex.deallocate()
    }

    /// Reads or changes the state without waking anyone: for changes that no waiting thread looks at.
    func withLock<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        return try body(&state)
    }

    /// Changes the state and wakes every waiting thread to look at it.
    @discardableResult
    func update<Result: Sendable>(_ body: (inout State) throws -> Result) rethrows -> Result {
        // Woken after the lock is free, or they would only wait for that.
        defer { pthread_cond_broadcast(condition) }
        return try withLock(body)
    }

    /// Changes the state and wakes one waiting thread: for a change that any one of them can deal with alone.
    func updateForOne(_ body: (inout State) -> Void) {
        withLock(body)
        pthread_cond_signal(condition)
    }

    /// Runs `body` with the lock held, again after every change, until it finishes. When it does, the other waiting
    /// threads are woken too, since it may have changed the state.
    func wait<Result: Sendable>(_ body: (inout State) -> Step<Result>) -> Result {
        pthread_mutex_lock(mutex)
        defer { pthread_mutex_unlock(mutex) }
        while true {
            switch body(&state) {
            case .finish(let result):
                pthread_cond_broadcast(condition)
                return result
            case .finishAlone(let result):
                return result
            case .wait:
                pthread_cond_wait(condition, mutex)
            case .waitUntil(let time):
                var deadline = time.asTimespec
                pthread_cond_timedwait(condition, mutex, &deadline)
            }
        }
    }

    /// Waits until `isTrue` holds, at most until `deadline`; whether it held.
    func wait(until deadline: MonotonicTime, _ isTrue: (State) -> Bool) -> Bool {
        wait { state in
            if isTrue(state) { return .finish(true) }
            return MonotonicTime.now >= deadline ? .finish(false) : .waitUntil(deadline)
        }
    }
}
