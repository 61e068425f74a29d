import TestSupport

/// Kill −9 of a broker, and its start with the data it had.
struct BrokerKill: Fault {
    let broker: Int
    let downtime: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        broker = generator.draw(1...shape.brokers)
        downtime = generator.draw(tenthsOfSeconds: 0...50)
    }

    var description: String { "kill broker \(broker), start it again after \(downtime.text)" }

    func strike(_ stage: Stage) throws {
        try stage.cluster.kill(broker)
        stage.hold(for: downtime)
        try stage.cluster.restart(broker)
    }
}
