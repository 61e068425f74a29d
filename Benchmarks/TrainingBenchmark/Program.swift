import CommandLineOptions
import Evaluation
import Foundation
import Inference
import Training

/// `TrainingBenchmark`: our training beside PyTorch's (pytorch_recipe.py), in speed and in quality.
@main
struct Program {
    static let dataset = Option.required("dataset", .string, "FILE", help: "Captions, as for kaption-model train.")
    static let images = Option.required("images", .string, "DIR", help: "Folder of the images.")
    static let split = Option.required("split", .string, "FILE", help: "Images to use, a name a line.")
    static let model = Option.required("model", .string, "BUNDLE", help: "The bundle whose encoder is used.")
    static let cache = Option.optional("feature-cache", .string, "DIR", help: "Where features are kept.")
    static let output = Option.required("output", .string, "DIR", help: "Where the files go.")
    static let data = Option.required("data", .string, "DIR", help: "What `prepare` wrote.")
    static let threads = Option.defaulted("threads", .integer(1...256), "N", default: "1", help: "Of the products.")
    static let batches = Option.optional("batches", .integer(1...1_000_000), "N", help: "Only the first N batches.")
    static let vocabulary = Option.required("vocabulary", .string, "FILE", help: "The words of the decoders.")
    static let first = Option.defaulted(
        "first", .integer(1...1_000_000), "N", default: "500", help: "Images that choose.")

    static let prepare = Command(
        name: "prepare", abstract: "Writes features, captions and length-grouped batches for the peer.",
        sections: [Section("Data", [dataset, images, split, model, cache, output])])
    static let time = Command(
        name: "time", abstract: "Seconds of an epoch, beside the rate of OpenBLAS's own products.",
        sections: [Section("Run", [data, threads, batches])])
    static let select = Command(
        name: "select", abstract: "Scores decoders of the peer's epochs, and the best of them on other images.",
        sections: [Section("Data", [dataset, images, split, model, cache, vocabulary, first])],
        positionals: Positionals("DECODER.safetensors…", help: "The decoders of the epochs."))

    static let command = Command(
        name: "TrainingBenchmark", abstract: "Training beside its peer.", subcommands: [prepare, time, select])

    static func main() throws {
        let options = command.parseOrExit()
        ProductLibrary.restartWithBestCoreType()
        switch options.subcommand {
        case "prepare": try PeerData.write(options)
        case "time": try EpochTiming.run(options)
        default: try PeerSelection.run(options)
        }
    }

    /// The images of `--split` with their captions and features.
    static func read(_ options: ParsedOptions, flips: Bool) throws -> (split: CaptionSplit, features: FeatureTable) {
        let names = try SplitFile.images(path: options[split])
        let chosen = try CaptionDataset(path: options[dataset]).splits(train: names, development: nil).train
        let bundle = try ModelBundle.load(directory: options[model])
        let result = try FeatureExtraction(bundle: bundle, cacheFolder: options[cache], flips: flips).run(
            images: chosen.images, folder: options[images], threads: ProcessInfo.processInfo.activeProcessorCount,
            mostBroken: 0)
        return (chosen, result.features)
    }
}
