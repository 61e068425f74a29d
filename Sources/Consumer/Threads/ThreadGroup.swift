/// Threads that are started together and whose end can be awaited for a while.
struct ThreadGroup: Sendable {
    private let running = Monitor(0)

    /// Starts `count` threads that all run `body`.
    func start(_ name: String, count: Int, stackBytes: Int, _ body: @escaping @Sendable () -> Void) throws {
        for number in 0..<count {
            running.update { $0 += 1 }
            do {
                try WorkerThread(name: count == 1 ? name : "\(name)-\(number)", stackBytes: stackBytes) {
                    body()
                    running.update { $0 -= 1 }
                }.detach()
            } catch {
                running.update { $0 -= 1 }
                throw error
            }
        }
    }

    /// Whether all have ended in time.
    func waitUntilEnded(until deadline: MonotonicTime) -> Bool {
        running.wait(until: deadline) { $0 == 0 }
    }
}
