/// Lets the pool's threads work beside each other, and a suspect alone: then nothing else runs on the pool.
final class PoolGate: Sendable {
    private struct State: Sendable {
        var running = 0
        var isAlone = false
        var waitingToBeAlone = 0
    }

    private let state = Monitor(State())

    func together<Value>(_ body: () -> Value) -> Value {
        let _: Bool = state.wait { state in
            // Who wants to be alone goes first, or would never be.
            guard !state.isAlone, state.waitingToBeAlone == 0 else { return .wait }
            state.running += 1
            return .finish(true)
        }
        defer { state.update { $0.running -= 1 } }
        return body()
    }

    func alone<Value>(_ body: () -> Value) -> Value {
        state.withLock { $0.waitingToBeAlone += 1 }
        let _: Bool = state.wait { state in
            guard !state.isAlone, state.running == 0 else { return .wait }
            state.waitingToBeAlone -= 1
            state.isAlone = true
            return .finish(true)
        }
        defer { state.update { $0.isAlone = false } }
        return body()
    }
}
