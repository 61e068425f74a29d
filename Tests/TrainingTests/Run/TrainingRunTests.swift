import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("Training runs")
struct TrainingRunTests {
    /// Images whose features say which caption they have.
    private func data() -> (data: TrainingData, scorer: DevelopmentScorer) {
        let texts = [
            "a dog runs fast", "two cats sleep", "the red boat", "a man climbs the rock wall", "children play",
        ]
        let split = CaptionSplit(
            images: (0..<40).map { "\($0)" }, captions: (0..<40).map { [texts[$0 % 5], texts[$0 % 5] + " now"] })
        let words = WordTable(
            counts: TrainingCorpus.wordCounts(split, cleaning: .init()), minimumCount: 1)
        let features = FeatureTable(images: 40, copies: 2, size: 10)
        var random = RandomStream(seed: 4, .images)
        for image in 0..<40 {
            for copy in 0..<2 {
                for index in 0..<10 {
                    features.row(image, copy: copy)[index] = (index % 5 == image % 5 ? 1 : 0) + random.uniform(0.1)
                }
            }
        }
        let corpus = TrainingCorpus(train: split, development: split, words: words, cleaning: .init())
        let scorer = DevelopmentScorer(features: features, captions: split.captions, threads: 2)
        return (TrainingData(corpus: corpus, features: features, words: words), scorer)
    }

    private func settings(epochs: Int = 3, selfCritical: Int = 0) -> TrainingSettings {
        var settings = TrainingSettings()
        settings.epochs = epochs
        settings.batch = 7
        settings.learningRate = 0.02
        settings.dropout = 0.2
        settings.selfCritical.epochs = selfCritical
        settings.selfCritical.images = 6
        settings.selfCritical.samples = 3
        return settings
    }

    private func make(_ settings: TrainingSettings) -> TrainingRun {
        let (data, scorer) = data()
        let weights = DecoderParameters(shape: .init(feature: 10, embedding: 12, hidden: 16, words: data.words.count))
        weights.initialise(seed: settings.seed)
        return TrainingRun(settings: settings, data: data, scorer: scorer, weights: weights, threads: 1)
    }

    private func all(_ parameters: DecoderParameters) -> [Float] {
        Array(UnsafeBufferPointer(start: parameters.base, count: parameters.count))
    }

    private struct Interruption: Error {}

    @Test func learns() throws {
        let run = make(settings(epochs: 12))
        try run.run()
        let history = run.state.history
        #expect(history.count == 12 && history[11].loss < history[0].loss / 2)
        let best = try #require(run.state.best?.score)
        #expect(best[.ciderD] > 4 && best[.bleu1] > 0.8, "\(best)")
    }

    @Test func theSameSeedGivesTheSameBits() throws {
        let runs = try (0..<2).map { _ in
            let run = make(settings(epochs: 2, selfCritical: 1))
            try run.run()
            return run
        }
        #expect(all(runs[0].weights) == all(runs[1].weights))
        #expect(runs[0].state.history.map(\.loss) == runs[1].state.history.map(\.loss))
        var other = settings(epochs: 2, selfCritical: 1)
        other.seed = 2
        let third = make(other)
        try third.run()
        #expect(all(third.weights) != all(runs[0].weights))
    }

    /// Broken off at any step of either stage and resumed from the file, it ends with the same bits.
    @Test(arguments: [1, 5, 11, 12, 13, 23, 26, 31])
    func resumesToTheSameBits(steps: Int) throws {
        let settings = settings(epochs: 2, selfCritical: 2)
        let whole = make(settings)
        try whole.run()
        let folder = try TemporaryDirectory()
        let broken = make(settings)
        var done = 0
        #expect(throws: Interruption.self) {
            try broken.run(checkpoint: { isEpoch in
                if !isEpoch { done += 1 }
                guard done == steps else { return }
                try broken.save(to: folder.url.path)
                throw Interruption()
            })
        }
        let resumed = make(settings)
        try resumed.resume(from: folder.url.path)
        try resumed.run()
        #expect(all(resumed.weights) == all(whole.weights))
        #expect(all(resumed.bestWeights) == all(whole.bestWeights))
        #expect(resumed.state.best == whole.state.best)
        #expect(resumed.state.history.map(\.loss) == whole.state.history.map(\.loss))
    }

    @Test func damagedAndForeignCheckpointsAreRefused() throws {
        let folder = try TemporaryDirectory()
        let run = make(settings())
        try run.save(to: folder.url.path)
        let file = folder.url.appendingPathComponent(Checkpoint.name)
        let bytes = try Data(contentsOf: file)
        func refusal(_ data: Data, _ settings: TrainingSettings) throws -> String? {
            try data.write(to: file)
            do {
                try make(settings).resume(from: folder.url.path)
                return nil
            } catch { return "\(error)" }
        }
        #expect(try refusal(bytes, settings()) == nil)
        for cut in [0, 10, 30, 100, bytes.count / 2, bytes.count - 1] {
            #expect(try refusal(bytes.prefix(cut), settings())?.contains("damaged") == true)
        }
        for place in [0, 17, 40, bytes.count / 2, bytes.count - 3] {
            var changed = bytes
            changed[place] ^= 0x10
            #expect(try refusal(changed, settings())?.contains("damaged") == true)
        }
        #expect(try refusal(bytes, settings(epochs: 9))?.contains("other settings") == true)
    }

    /// A header that asks for more than the file holds, in a file whose digest is right, takes no memory.
    @Test(arguments: [1 << 20, 1 << 40, Int.max, -1, 0])
    func aShapeBeyondTheFileIsRefused(size: Int) throws {
        let folder = try TemporaryDirectory()
        let shape = DecoderShape(feature: size, embedding: size, hidden: size, words: size)
        let header = Checkpoint.Header(
            settings: settings(), state: TrainingState(), shape: shape, data: "", adamSteps: 0)
        try Checkpoint(header: header, parameters: []).write(to: folder.url.path)
        let error = #expect(throws: TrainingError.self) { try Checkpoint(folder: folder.url.path, parts: 4) }
        #expect(error?.message.contains("damaged") == true)
    }

    @Test func lossThatIsNotFiniteEndsIt() throws {
        let run = make(settings())
        run.weights[.outputBias][5] = .nan
        let error = #expect(throws: TrainingError.self) { try run.run() }
        #expect(error?.message.contains("no longer finite") == true)
    }

    @Test func patienceEndsAStage() throws {
        var settings = settings(epochs: 50)
        settings.patience = 2
        let run = make(settings)
        try run.run()
        let best = try #require(run.state.best)
        #expect(run.state.history.count == best.epoch + 2 && best.epoch < 48)
    }

    @Test func tableAndPlot() throws {
        let run = make(settings(epochs: 2, selfCritical: 1))
        try run.run()
        let history = TrainingHistory(records: run.state.history)
        let lines = history.csv().split(separator: "\n")
        #expect(
            lines.count == 4 && lines[0].hasPrefix("stage,epoch,loss,reward") && lines[3].hasPrefix("self-critical,1,"))
        #expect(Set(lines.map { $0.split(separator: ",", omittingEmptySubsequences: false).count }).count == 1)
        let parser = XMLParserCheck(history.svg())
        #expect(parser.isWellFormed && history.svg().contains("polyline") && !history.svg().contains("nan"))
        #expect(XMLParserCheck(TrainingHistory(records: []).svg()).isWellFormed)
        #expect([0.62, 2.72, 5.06, 10, 1].map(TrainingHistory.tick) == [0.2, 1, 2, 2, 0.2])
    }
}

/// Whether every tag that is opened is closed, in order.
private struct XMLParserCheck {
    var isWellFormed: Bool

    init(_ text: String) {
        var open: [Substring] = []
        isWellFormed = true
        for tag in text.split(separator: "<") {
            let name = tag.prefix { !" />\n".contains($0) }
            if tag.hasPrefix("/") {
                if open.popLast() != tag.dropFirst().prefix(while: { $0 != ">" }) { isWellFormed = false }
            } else if tag.split(separator: ">").first?.hasSuffix("/") != true {
                open.append(name)
            }
        }
        if !open.isEmpty { isWellFormed = false }
    }
}
