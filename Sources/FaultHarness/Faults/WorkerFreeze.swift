import TestSupport

/// SIGSTOP of a worker for longer than its session: the group goes on without it, and then it wakes and believes that
/// nothing has happened.
struct WorkerFreeze: Fault {
    let slot: Int
    let duration: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        slot = generator.draw(0...shape.workers - 1)
        duration = generator.draw(tenthsOfSeconds: 75...130)
    }

    var description: String { "freeze worker \(slot) for \(duration.text)" }

    func strike(_ stage: Stage) throws {
        stage.workers.freeze(slot)
        stage.hold(for: duration)
        stage.workers.thaw(slot)
    }
}
