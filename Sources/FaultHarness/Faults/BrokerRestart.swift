import TestSupport

/// A broker is stopped in good order and started again.
struct BrokerRestart: Fault {
    let broker: Int

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        broker = generator.draw(1...shape.brokers)
    }

    var description: String { "restart broker \(broker)" }

    func strike(_ stage: Stage) throws { try stage.cluster.restart(broker) }
}
