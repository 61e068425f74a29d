import CommandLineOptions
import Foundation
import Inference
import Training

/// Features of a part of the dataset, with progress on standard error; broken images are named and leave the part.
struct TrainFeatures {
    var options: ParsedOptions
    var bundle: ModelBundle
    var cache: String

    func run(_ split: inout CaptionSplit, folder: String, flips: Bool) throws -> FeatureTable {
        let extraction = try FeatureExtraction(bundle: bundle, cacheFolder: cache, flips: flips)
        var progress = ProgressLine(total: split.images.count)
        var shown = 0
        let result = try extraction.run(
            images: split.images, folder: folder,
            threads: options[TrainOptions.threads] ?? ProcessInfo.processInfo.activeProcessorCount,
            mostBroken: options[TrainOptions.brokenImages]
        ) { done in
            while shown < done {
                progress.advance()
                shown += 1
            }
        }
        progress.finish()
        for image in result.broken { progress.note("left out: \(image.name): \(image.reason)") }
        let missing = Set(result.broken.map(\.index))
        let made = split.images.count - result.cached - missing.count
        TrainCommand.say(
            "features     \(made) images encoded, \(result.cached) from the cache, \(missing.count) left out")
        split = split.without(missing)
        return missing.isEmpty ? result.features : result.features.without(missing)
    }
}
