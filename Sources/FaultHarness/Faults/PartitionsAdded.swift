import TestSupport

/// Partitions are added to the topic of requests; requests go there at once.
struct PartitionsAdded: Fault {
    let count: Int

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) { count = generator.draw(1...3) }

    var description: String { "add \(count) partitions" }

    func strike(_ stage: Stage) throws {
        let partitions = stage.ledger.partitionCount + count
        try stage.admin.createPartitions(of: stage.topics.requests, total: partitions, timeout: .seconds(20))
        stage.ledger.partitionCount = partitions
    }
}
