import Synchronization

/// Numbers 0, 1, 2… for whoever asks.
final class Counter: Sendable {
    private let value = Atomic(0)

    func next() -> Int { value.wrappingAdd(1, ordering: .relaxed).oldValue }
}
