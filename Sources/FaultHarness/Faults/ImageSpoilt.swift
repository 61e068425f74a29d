import TestSupport

/// An image is replaced by garbage for a while: the requests for it fail for good and become dead letters.
struct ImageSpoilt: Fault {
    let image: Int
    let duration: Duration

    init(on shape: ClusterShape, drawnFrom generator: inout SeededGenerator) {
        image = generator.draw(0...PictureStore.count - 1)
        duration = generator.draw(tenthsOfSeconds: 20...60)
    }

    var description: String { "garbage in place of \(PictureStore.names[image]) for \(duration.text)" }

    func strike(_ stage: Stage) throws {
        let name = PictureStore.names[image]
        stage.ledger.noteSpoilt(image: name)
        try stage.pictures.spoil(name)
        stage.hold(for: duration)
        try stage.pictures.restore(name)
    }
}
