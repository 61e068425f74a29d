/// Looks whether the storage is there while no request does: readiness is true of a worker without work too, and a storage that
/// is back is noticed. On a thread of its own, which is replaced when a look hangs.
struct StorageProbe: Sendable {
    private static let interval = Duration.seconds(5)
    private static let intervalWhileAway = Duration.seconds(1)

    let storage: Storage
    let supervisor: ReadSupervisor
    let stop: StopRequest

    /// Works until the worker is to stop, or until this thread was replaced because it hung.
    func run() {
        while !stop.wait(for: storage.isAvailable ? Self.interval : Self.intervalWhileAway) {
            guard storage.check(by: supervisor) != nil || supervisor.rejoin() else { return }
        }
    }
}
