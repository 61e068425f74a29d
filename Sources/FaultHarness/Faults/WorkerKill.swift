import TestSupport

/// Kill −9 of one worker, and its restart: what it had in memory is gone.
struct WorkerKill: Fault {
    let slot: Int
    let downtime: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        slot = generator.draw(0...shape.workers - 1)
        downtime = generator.draw(tenthsOfSeconds: 0...40)
    }

    var description: String { "kill worker \(slot), start it again after \(downtime.text)" }

    func strike(_ stage: Stage) throws {
        stage.workers.kill([slot])
        stage.hold(for: downtime)
        try stage.workers.start([slot])
    }
}
