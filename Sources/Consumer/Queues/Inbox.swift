/// What any thread puts in and one thread takes out, all at once. Unbounded in itself: the window bounds what can be in it.
final class Inbox<Element: Sendable>: Sendable {
    private struct State: Sendable {
        var elements: [Element] = []
        var isClosed = false
    }

    private let state = Monitor(State())

    func put(_ element: Element) {
        state.update { $0.elements.append(element) }
    }

    /// Waits for elements, at most until the deadline; all that are there, in their order. Nil once the inbox is closed.
    func takeAll(until deadline: MonotonicTime? = nil) -> [Element]? {
        state.wait { state in
            if state.isClosed { return .finish(nil) }
            if state.elements.isEmpty {
                guard let deadline else { return .wait }
                return MonotonicTime.now >= deadline ? .finish([]) : .waitUntil(deadline)
            }
            defer { state.elements = [] }
            return .finish(state.elements)
        }
    }

    /// Waits until the deadline or the end; whether it is closed.
    func waitUntilClosed(until deadline: MonotonicTime) -> Bool {
        state.wait(until: deadline) { $0.isClosed }
    }

    var isClosed: Bool { state.withLock { $0.isClosed } }

    /// Whoever waits goes home; what is inside is dropped.
    func close() {
        state.update { state in
            state.isClosed = true
            state.elements = []
        }
    }
}
