import TestSupport

/// A worker more joins the group and leaves it again.
struct ExtraWorker: Fault {
    let slot: Int
    let duration: Duration
    /// Whether it leaves by SIGTERM, or is killed.
    let isGraceful: Bool

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        slot = shape.workers
        duration = generator.draw(tenthsOfSeconds: 50...100)
        isGraceful = generator.draw(0...2) > 0
    }

    var description: String { "a worker joins for \(duration.text), and \(isGraceful ? "leaves" : "is killed")" }

    func strike(_ stage: Stage) throws {
        try stage.workers.start([slot])
        stage.hold(for: duration)
        if isGraceful { stage.workers.stop([slot]) } else { stage.workers.kill([slot]) }
    }
}
