import TestSupport

/// The storage folder is gone and an empty one is in its place, as after an unmount. A worker is started meanwhile, which
/// has never seen the real one.
struct StorageHidden: Fault {
    let duration: Duration
    let slot: Int
    /// Whether the folder itself changes, or only what is in it.
    let isUnmounted: Bool

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        duration = generator.draw(tenthsOfSeconds: 40...100)
        slot = generator.draw(0...shape.workers - 1)
        isUnmounted = generator.draw(0...1) == 0
    }

    var description: String {
        "hide the \(isUnmounted ? "storage folder" : "storage folder's content") for \(duration.text), kill worker \(slot) and start it meanwhile"
    }

    func strike(_ stage: Stage) throws {
        try stage.pictures.hide(wholeFolder: isUnmounted)
        stage.hold(for: duration / 2)
        // Not by SIGTERM: it would wait 20 s for what needs the storage.
        stage.workers.kill([slot])
        try stage.workers.start([slot])
        stage.hold(for: duration / 2)
        try stage.pictures.reveal(wholeFolder: isUnmounted)
    }
}
