import CommandLineOptions
import Evaluation
import Foundation
import Inference
import Training

/// `kaption-model train`: captions and images to a bundle.
enum TrainCommand: Subcommand {
    typealias O = TrainOptions

    static let command = TrainOptions.command

    static func run(_ options: ParsedOptions) throws -> ExitCode {
        let base = try check(options)
        ProductLibrary.restartWithBestCoreType()
        let threads = options[O.threads] ?? ProcessInfo.processInfo.activeProcessorCount
        let bundle = try ModelBundle.load(directory: base)
        let work = options[O.work] ?? options[O.output] + ".training"
        if TrainingRun.canResume(in: work), !options[O.resume] {
            throw UsageError("\(work) holds a checkpoint; give --resume to go on from it, or another --work")
        }
        try makeFolder(work)

        var (train, development) = try splits(options)
        let extraction = TrainFeatures(options: options, bundle: bundle, cache: options[O.featureCache] ?? work)
        let trainFeatures = try extraction.run(&train, folder: options[O.images], flips: options[O.flips])
        let devFeatures = try extraction.run(
            &development, folder: options[O.devImages] ?? options[O.images], flips: false)

        let cleaning = CaptionCleaning(maximumWords: options[O.maxLength])
        let counts = TrainingCorpus.wordCounts(train, cleaning: cleaning)
        var words = WordTable(counts: counts, minimumCount: options[O.minCount])
        var firstNew = 0
        if options[O.from] != nil {
            words = WordTable(words: bundle.vocabulary.words, tokens: bundle.manifest.decoder.tokens)
            firstNew = words.count
            _ = words.extend(counts: counts, minimumCount: options[O.minCount])
        }
        let corpus = TrainingCorpus(train: train, development: development, words: words, cleaning: cleaning)
        guard !corpus.captions.isEmpty else { throw TrainingError("there is no caption to train on") }
        for line in corpus.summary.lines { say(line) }
        if firstNew > 0 { say("from         \(base): \(firstNew) words, \(words.count - firstNew) new") }

        let weights = try initialWeights(options, bundle, words, featureSize: trainFeatures.size)
        let settings = O.settings(options)
        let chosen = min(options[O.devSelect] ?? development.images.count, development.images.count)
        if chosen == 0 { say("no development images: the last epoch is kept, and beam and α are not chosen") }
        let scorer = DevelopmentScorer(
            features: devFeatures, captions: Array(development.captions.prefix(chosen)), threads: threads)
        let run = TrainingRun(
            settings: settings, data: TrainingData(corpus: corpus, features: trainFeatures, words: words),
            scorer: chosen > 0 ? scorer : nil, weights: weights, threads: threads)
        if options[O.resume], TrainingRun.canResume(in: work) {
            try run.resume(from: work)
            say("resumed      \(run.state.stage.rawValue), epoch \(run.state.epoch + 1), batch \(run.state.batch + 1)")
        }
        try perform(run, work: work, every: options[O.checkpointSteps])

        let rest = development[chosen..<development.images.count]
        let report = try heldOut(run, rest, devFeatures.from(chosen), words, settings, threads)
        let description = TrainDescription(
            options: options, bundle: bundle, state: run.state, summary: corpus.summary, heldOut: report,
            settings: settings)
        let manifest = try DecoderExport.write(
            run.bestWeights, words: words, encoder: bundle, description: description.value,
            halves: halves(options, bundle),
            to: options[O.output], replaces: options[O.force])
        say("\(options[O.output]): \(manifest.name) \(manifest.version), \(manifest.digest)")
        return .done
    }

    /// - Returns: the bundle that gives the encoder.
    private static func check(_ options: ParsedOptions) throws -> String {
        guard let base = options[O.from] ?? options[O.encoder], (options[O.from] == nil) != (options[O.encoder] == nil)
        else {
            throw UsageError("give either --encoder BUNDLE, for a new decoder, or --from BUNDLE, to go on from one")
        }
        guard options[O.epochs] + options[O.selfCriticalEpochs] > 0 else {
            throw UsageError("--epochs and --self-critical-epochs are both 0: there is nothing to train")
        }
        if FileManager.default.fileExists(atPath: options[O.output]), !options[O.force] {
            throw UsageError("\(options[O.output]) exists already; give --force to replace it, or another --output")
        }
        return base
    }

    private static func splits(_ options: ParsedOptions) throws -> (CaptionSplit, CaptionSplit) {
        let dataset = try CaptionDataset(path: options[O.dataset])
        let train = try options[O.trainSplit].map { try SplitFile.images(path: $0) }
        let development = try options[O.devSplit].map { try SplitFile.images(path: $0) }
        guard let path = options[O.devDataset] else {
            return try dataset.splits(train: train, development: development)
        }
        let other = try CaptionDataset(path: path)
        let held = try development.map { try other.splits(train: nil, development: $0).development } ?? other.whole
        let learned = try train.map { try dataset.splits(train: $0, development: nil).train }
        return (learned ?? dataset.forTraining(without: Set(held.images)), held)
    }

    private static func initialWeights(
        _ options: ParsedOptions, _ bundle: ModelBundle, _ words: WordTable, featureSize: Int
    ) throws -> DecoderParameters {
        let decoder = bundle.manifest.decoder
        let goesOn = options[O.from] != nil
        let weights = DecoderParameters(
            shape: DecoderShape(
                feature: featureSize,
                embedding: goesOn ? decoder.embeddingSize : options[O.embeddingSize],
                hidden: goesOn ? decoder.hiddenSize : options[O.hiddenSize], words: words.count))
        weights.initialise(seed: UInt64(options[O.seed]))
        if let path = options[O.embeddings] {
            let vectors = try WordVectors(path: path, words: Set(words.words))
            say(EmbeddingInitialisation(vectors, words: words, into: weights, seed: UInt64(options[O.seed])).line)
        }
        if goesOn { try weights.load(bundle.tensor) }
        return weights
    }

    private static func perform(_ run: TrainingRun, work: String, every steps: Int) throws {
        var progress = TrainProgress()
        try run.run(
            progress: { progress.show($0) },
            checkpoint: { isEpoch in
                if isEpoch || run.state.step % steps == 0 { try run.save(to: work) }
                guard isEpoch, let record = run.state.history.last else { return }
                progress.clear()
                let best = run.state.best
                let isBest = best?.epoch == record.epoch && best?.stage == record.stage
                say(TrainProgress.line(record, isBest: isBest))
                let history = TrainingHistory(records: run.state.history)
                try write(history.csv(), to: "\(work)/history.csv")
                try write(history.svg(), to: "\(work)/history.svg")
            })
    }

    private static func heldOut(
        _ run: TrainingRun, _ split: CaptionSplit, _ features: FeatureTable, _ words: WordTable,
        _ settings: TrainingSettings, _ threads: Int
    ) throws -> DevelopmentScore? {
        guard let best = run.state.best, let chosen = best.score else { return nil }
        say("best         \(best.stage.rawValue), epoch \(best.epoch), \(TrainProgress.text(chosen))")
        guard !split.images.isEmpty else { return nil }
        let scorer = DevelopmentScorer(features: features, captions: split.captions, threads: threads)
        let decoder = try DecoderExport.decoder(run.bestWeights, words: words)
        let score = try scorer.best(
            of: decoder, by: settings.selection, maximumWords: settings.maximumWords, beams: [chosen.beam],
            alphas: [chosen.alpha])
        if let score { say("held out     \(split.images.count) images, \(TrainProgress.text(score))") }
        return score
    }

    private static func halves(_ options: ParsedOptions, _ bundle: ModelBundle) -> Bool {
        options[O.weights].map { $0 == "f16" } ?? bundle.tensors.values.contains { $0.type == "F16" }
    }

    private static func makeFolder(_ path: String) throws {
        do {
            try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw TrainingError("\(path): cannot make the folder: \(error.localizedDescription)")
        }
    }

    private static func write(_ text: String, to path: String) throws {
        do {
            try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw TrainingError("\(path): cannot be written: \(error.localizedDescription)")
        }
    }

    /// A line on standard output, at once.
    static func say(_ line: String) { try? FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) }
}
