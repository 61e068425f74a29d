import CommandLineOptions
import Evaluation
import Foundation
import Inference
import Training

/// What a trained bundle says of itself.
struct TrainDescription {
    var value: DecoderExport.Description

    init(
        options: ParsedOptions, bundle: ModelBundle, state: TrainingState, summary: TrainingCorpus.Summary,
        heldOut: DevelopmentScore?, settings: TrainingSettings
    ) {
        typealias O = TrainOptions
        let manifest = bundle.manifest
        let goesOn = options[O.from] != nil
        let best = state.best?.score
        let dataset = URL(fileURLWithPath: options[O.dataset]).lastPathComponent
        let learnt = "captions of \(dataset): \(summary.images) images, \(summary.captions) captions"
        value = DecoderExport.Description(
            name: options[O.name] ?? URL(fileURLWithPath: options[O.output]).lastPathComponent,
            version: options[O.modelVersion] ?? (goesOn ? Self.next(manifest.version) : "1"),
            licence: options[O.licence] ?? manifest.licence,
            trainingData: options[O.trainingData]
                ?? Self.trainingData(before: manifest.trainingData, goesOn: goesOn, learnt: learnt),
            trainingTerms: options[O.trainingTerms] ?? manifest.trainingTerms,
            beam: best?.beam ?? manifest.decoding.beam, alpha: best?.alpha ?? Double(manifest.decoding.alpha),
            maximumWords: settings.maximumWords, quality: nil)
        var quality: [String: JSONValue] = [:]
        if let best { quality["development_selected"] = Self.json(best) }
        if let heldOut { quality["development_held_out"] = Self.json(heldOut) }
        if let best = state.best { quality["epoch"] = .string("\(best.stage.rawValue) \(best.epoch)") }
        if !quality.isEmpty { value.quality = .object(quality) }
    }

    /// What the given bundle was trained on and what was learnt now; the same data is named once.
    static func trainingData(before: String?, goesOn: Bool, learnt: String) -> String {
        guard let before else { return learnt }
        guard goesOn else { return "encoder and before: \(before); decoder: \(learnt)" }
        return before.hasSuffix(learnt) ? before : "\(before); then \(learnt)"
    }

    /// The number that a version ends in, plus one.
    static func next(_ version: String) -> String {
        let digits = String(version.reversed().prefix { $0.isASCII && $0.isNumber }.reversed())
        guard let number = Int(digits), number < Int.max else { return version + ".1" }
        return version.dropLast(digits.count) + "\(number + 1)"
    }

    private static func json(_ score: DevelopmentScore) -> JSONValue {
        var scores = score.scores.mapValues { JSONValue.number(($0 * 10_000).rounded() / 10_000) }
        scores["beam"] = .integer(score.beam)
        scores["alpha"] = .number(score.alpha)
        scores["dangling"] = .number((score.dangling * 10_000).rounded() / 10_000)
        return .object(scores)
    }
}
