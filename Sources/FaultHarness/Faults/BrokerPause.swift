import TestSupport

/// A broker hangs: its connections stay open and nothing comes.
struct BrokerPause: Fault {
    let broker: Int
    let duration: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        broker = generator.draw(1...shape.brokers)
        duration = generator.draw(tenthsOfSeconds: 20...120)
    }

    var description: String { "pause broker \(broker) for \(duration.text)" }

    func strike(_ stage: Stage) throws {
        try stage.cluster.pause(broker)
        stage.hold(for: duration)
        try stage.cluster.resume(broker)
    }
}
