import TestSupport

/// Kill −9 of every worker at once, and their restart.
struct AllWorkersKill: Fault {
    let downtime: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        downtime = generator.draw(tenthsOfSeconds: 0...30)
    }

    var description: String { "kill every worker, start them again after \(downtime.text)" }

    func strike(_ stage: Stage) throws {
        let slots = stage.workers.running
        stage.workers.kill(slots)
        stage.hold(for: downtime)
        try stage.workers.start(slots)
    }
}
