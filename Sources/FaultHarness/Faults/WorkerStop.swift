import TestSupport

/// SIGTERM, as a deployment sends it, and a start afterwards.
struct WorkerStop: Fault {
    let slot: Int
    let downtime: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        slot = generator.draw(0...shape.workers - 1)
        downtime = generator.draw(tenthsOfSeconds: 0...30)
    }

    var description: String { "stop worker \(slot) by SIGTERM, start it again after \(downtime.text)" }

    func strike(_ stage: Stage) throws {
        stage.workers.stop([slot])
        stage.hold(for: downtime)
        try stage.workers.start([slot])
    }
}
