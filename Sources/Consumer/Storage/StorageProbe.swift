/// The thread that looks whether the storage is there while no request does: readiness is true of a worker without work too, and
/// a storage that is back is noticed.
struct StorageProbe: Sendable {
    private static let interval = Duration.seconds(5)
    private static let intervalWhileAway = Duration.seconds(1)

    let storage: Storage
    let supervisor: ReadSupervisor
    let stop: StopRequest

    /// Works until the worker is to stop.
    func run() {
        while !stop.wait(for: storage.isAvailable ? Self.interval : Self.intervalWhileAway) {
            _ = supervisor.call(isReader: false, storage.check, onHung: storage.fallSilent)
        }
    }
}
