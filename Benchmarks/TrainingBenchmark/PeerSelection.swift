import CommandLineOptions
import Evaluation
import Foundation
import Inference
import Training

/// Chooses among the peer's epochs as `kaption-model train` does among its own: with the same decoder, grid and measure.
enum PeerSelection {
    static func run(_ options: ParsedOptions) throws {
        let (split, features) = try Program.read(options, flips: false)
        let first = min(options[Program.first], split.images.count)
        let text = try String(contentsOfFile: options[Program.vocabulary], encoding: .utf8)
        let words = WordTable(words: text.split(separator: "\n").map(String.init), tokens: .init())
        let scorer = DevelopmentScorer(features: features, captions: Array(split.captions.prefix(first)), threads: 1)
        for metric in [Metric.ciderD, .bleu4] {
            var best: (path: String, score: DevelopmentScore)?
            for path in options.positionals {
                let decoder = try decoder(path, words)
                guard let score = try scorer.best(of: decoder, by: metric, maximumWords: 20) else { continue }
                if best.map({ score[metric] > $0.score[metric] }) ?? true { best = (path, score) }
            }
            guard let best else { continue }
            show("best by \(metric.rawValue): \(best.path)", best.score)
            guard first < split.images.count else { continue }
            let rest = DevelopmentScorer(
                features: features.from(first), captions: Array(split.captions[first...]), threads: 1)
            let score = try rest.best(
                of: decoder(best.path, words), by: metric, maximumWords: 20, beams: [best.score.beam],
                alphas: [best.score.alpha])
            if let score { show("held out, \(split.images.count - first) images", score) }
        }
    }

    private static func decoder(_ path: String, _ words: WordTable) throws -> CaptionDecoder {
        let file = try Safetensors(MappedFile(path: path))
        let (embedding, image) = (try file.tensor("embedding.weight"), try file.tensor("image.weight"))
        guard let recurrent = try file.tensor("lstm.weight_hh_l0").shape.last else {
            throw TrainingError("\(path): no decoder")
        }
        let shape = DecoderShape(
            feature: image.shape[1], embedding: embedding.shape[1], hidden: recurrent, words: words.count)
        let parameters = DecoderParameters(shape: shape)
        try parameters.load(file.tensor)
        return try DecoderExport.decoder(parameters, words: words)
    }

    private static func show(_ title: String, _ score: DevelopmentScore) {
        let values = [Metric.bleu1, .bleu2, .bleu3, .bleu4, .ciderD, .lengthRatio].map { metric in
            "\(metric.rawValue) \(String(format: "%.4f", score[metric]))"
        }
        print("\(title): beam \(score.beam) α \(score.alpha), \(values.joined(separator: ", "))")
    }
}
