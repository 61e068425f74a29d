import TestSupport

/// A broker goes, so that its partitions get other leaders, and after its return the leaders move back.
struct LeadersMoved: Fault {
    let broker: Int

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        broker = generator.draw(1...shape.brokers)
    }

    var description: String { "move all leaders off broker \(broker), and back" }

    func strike(_ stage: Stage) throws {
        try stage.cluster.restart(broker)
        try stage.cluster.electPreferredLeaders()
    }
}
