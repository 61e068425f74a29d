import TestSupport

/// The poll thread alone stands still, for longer than `max.poll.interval.ms`: the pool and the producer go on meanwhile, the
/// group gives the partitions to others.
struct PollStall: Fault {
    let slot: Int
    let duration: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        slot = generator.draw(0...shape.workers - 1)
        duration = generator.draw(tenthsOfSeconds: 110...150)
    }

    var description: String { "stall the poll thread of worker \(slot) for \(duration.text)" }

    func strike(_ stage: Stage) throws {
        try stage.workers.stallPoll(of: slot)
        stage.hold(for: duration)
        stage.workers.releasePoll(of: slot)
    }
}
