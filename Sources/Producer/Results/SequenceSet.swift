import Synchronization

/// A set of a run's sequence numbers, a bit each: a million requests take 125 kB.
final class SequenceSet: Sendable {
    private struct State {
        var words: [UInt64] = []
        var count = 0
    }

    private let state = Mutex(State())

    var count: Int { state.withLock { $0.count } }

    /// Numbers come from this program, in order: the set grows to the largest.
    func insert(_ number: Int) {
        state.withLock { state in
            while state.words.count <= number / 64 { state.words.append(0) }
            if state.words[number / 64] & (1 << (number % 64)) == 0 { state.count += 1 }
            state.words[number / 64] |= 1 << (number % 64)
        }
    }

    /// Whether it was there; any number may be asked for.
    @discardableResult
    func remove(_ number: Int) -> Bool {
        state.withLock { state in
            guard number >= 0, number / 64 < state.words.count, state.words[number / 64] & (1 << (number % 64)) != 0
            else { return false }
            state.words[number / 64] &= ~(1 << (number % 64))
            state.count -= 1
            return true
        }
    }
}
