import CommandLineOptions
import Evaluation
import Foundation
import Training

/// The options of `kaption-model train`.
enum TrainOptions {
    // Data
    static let dataset = Option.required(
        "dataset", .string, "FILE",
        help: "Captions: Flickr8k's tokens, Kaggle's captions.txt, COCO's or Karpathy's JSON.")
    static let images = Option.required("images", .string, "DIR", help: "Folder of the images that FILE names.")
    static let trainSplit = Option.optional(
        "train-split", .string, "FILE",
        help: "Images to train on, a name a line; default: those that the dataset says, else all others.")
    static let devSplit = Option.optional(
        "dev-split", .string, "FILE",
        help: "Images that choose epoch, beam and α; default: the dataset's, else (without --train-split) a tenth.")
    static let devDataset = Option.optional(
        "dev-dataset", .string, "FILE",
        help: "Captions of the development images, where they are in a file of their own.")
    static let devImages = Option.optional("dev-images", .string, "DIR", help: "Their folder; default: --images.")
    static let devSelect = Option.optional(
        "dev-select", .integer(1...1_000_000), "N",
        help: "Only the first N development images choose; the others are scored once, at the end.")
    static let maxLength = Option.defaulted(
        "max-length", .integer(1...200), "N", default: "30", help: "Captions of more words are left out.")
    static let minCount = Option.defaulted(
        "min-count", .integer(1...1_000_000), "N", default: "5",
        help: "A word of the vocabulary occurs so often in train.")
    static let brokenImages = Option.defaulted(
        "broken-images", .integer(0...10_000_000), "N", default: "20",
        help: "Missing or broken images are named and left out; more than N end the training.")

    // Model
    static let encoder = Option.optional(
        "encoder", .string, "BUNDLE", help: "The bundle whose encoder is used; the decoder begins anew.")
    static let from = Option.optional(
        "from", .string, "BUNDLE", help: "Go on from this model: encoder, decoder and words; new words are added.")
    static let embeddingSize = Option.defaulted(
        "embedding-size", .integer(1...8192), "N", default: "512", help: "Numbers of a word's embedding.")
    static let hiddenSize = Option.defaulted(
        "hidden-size", .integer(1...8192), "N", default: "512", help: "Units of the LSTM.")
    static let embeddings = Option.optional(
        "embeddings", .string, "FILE", help: "Word vectors to begin with, GloVe's text form.")
    static let freezeEmbeddings = Option.flag("freeze-embeddings", help: "Leave the embedding as it is.")

    // Training
    static let epochs = Option.defaulted(
        "epochs", .integer(0...10_000), "N", default: "8", help: "Epochs of the first stage, cross-entropy.")
    static let batch = Option.defaulted(
        "batch", .integer(1...4096), "N", default: "64", help: "Captions of a batch.")
    static let learningRate = Option.defaulted(
        "learning-rate", .number(0...1), "R", default: "0.002", help: "Peak of the one-cycle schedule (Adam).")
    static let dropout = Option.defaulted(
        "dropout", .number(0...0.95), "P", default: "0.5", help: "Of embeddings and of the LSTM's outputs.")
    static let labelSmoothing = Option.defaulted(
        "label-smoothing", .number(0...0.9), "P", default: "0.1", help: "Share of the target spread over all words.")
    static let clip = Option.defaulted(
        "clip", .number(0.001...1e6), "NORM", default: "1", help: "Largest norm of a gradient.")
    static let flips = Option.flag("flips", help: "Also learn from the images flipped from left to right.")
    static let patience = Option.optional(
        "patience", .integer(1...10_000), "N", help: "End a stage after N epochs without a better score.")
    static let select = Option.defaulted(
        "select", .choice(["bleu-4", "cider-d"]), "MEASURE", default: "cider-d",
        help: "What chooses epoch, beam and α: bleu-4 or cider-d.")
    static let maxWords = Option.defaulted(
        "max-words", .integer(1...50), "N", default: "20", help: "Words of a caption at most, the end counted.")
    static let seed = Option.defaulted(
        "seed", .integer(0...Int.max), "N", default: "1", help: "Of everything random.")
    static let threads = Option.optional("threads", .integer(1...256), "N", help: "Default: one a core.")

    // Second stage
    static let selfCriticalEpochs = Option.defaulted(
        "self-critical-epochs", .integer(0...10_000), "N", default: "0",
        help: "Epochs of the second stage: sampled captions, rewarded by CIDEr-D (and BLEU-4).")
    static let selfCriticalRate = Option.defaulted(
        "self-critical-rate", .number(0...1), "R", default: "0.0004", help: "Its peak learning rate.")
    static let selfCriticalImages = Option.defaulted(
        "self-critical-images", .integer(1...4096), "N", default: "16", help: "Images of a batch.")
    static let samples = Option.defaulted(
        "samples", .integer(2...64), "N", default: "5", help: "Captions sampled of an image.")
    static let baseline = Option.defaulted(
        "baseline", ValueFormat<TrainingSettings.SelfCritical.Baseline>.choice, "mean|greedy", default: "mean",
        help: "A reward is held against that of the image's other samples, or of the greedy caption.")
    static let bleuReward = Option.defaulted(
        "bleu-reward", .number(0...100), "W", default: "0",
        help: "Adds W times a sample's BLEU-4 to its CIDEr-D.")

    // Output
    static let output = Option.required("output", .string, "DIR", help: "Where the bundle is to be.")
    static let force = Option.flag("force", help: "Replace a bundle that is there already.")
    static let work = Option.optional(
        "work", .string, "DIR",
        help: "Checkpoint, history.csv and history.svg; default: the output's name and .training.")
    static let resume = Option.flag("resume", help: "Go on from the checkpoint in --work, if there is one.")
    static let checkpointSteps = Option.defaulted(
        "checkpoint-steps", .integer(1...1_000_000), "N", default: "200",
        help: "A checkpoint every N batches, besides one an epoch.")
    static let featureCache = Option.optional(
        "feature-cache", .string, "DIR", help: "Where features are kept, by image and encoder; default: --work.")
    static let weights = Option.optional(
        "weights", .choice(["f32", "f16"]), "f32|f16", help: "How weights are stored; default: as the given bundle's.")
    static let name = Option.optional("name", .string, "NAME", help: "Of the model; default: the output's last part.")
    static let modelVersion = Option.optional(
        "model-version", .string, "VERSION", help: "Default: 1, or with --from one more than that bundle's.")
    static let licence = Option.optional(
        "licence", .string, "SPDX", help: "Of the weights; default: the given bundle's.")
    static let trainingData = Option.optional(
        "training-data", .string, "TEXT", help: "What the model is trained on; default: the dataset's name and size.")
    static let trainingTerms = Option.optional(
        "training-terms", .string, "TEXT", help: "Terms that the data puts on the model.")

    static let command = Command(
        name: "train", abstract: "Trains a caption decoder on a bundle's encoder, and writes a bundle.",
        discussion: """
            Every image goes through the encoder once; features are kept on disk. Then a Show and Tell decoder
            learns the captions, and with --self-critical-epochs, in a second stage, to please CIDEr-D. After each epoch
            the development images are captioned with beams 1, 3, 5 and several α of length normalisation; the best
            epoch with its beam and α becomes the bundle. Killed and started again with --resume, a training ends with
            the same weights as one that was not.
            """,
        sections: [
            Section(
                "Data",
                [
                    dataset, images, trainSplit, devSplit, devDataset, devImages, devSelect, maxLength, minCount,
                    brokenImages,
                ]),
            Section("Model", [encoder, from, embeddingSize, hiddenSize, embeddings, freezeEmbeddings]),
            Section(
                "Training",
                [
                    epochs, batch, learningRate, dropout, labelSmoothing, clip, flips, patience, select, maxWords, seed,
                    threads,
                ]),
            Section(
                "Second stage",
                [selfCriticalEpochs, selfCriticalRate, selfCriticalImages, samples, baseline, bleuReward]),
            Section(
                "Output",
                [
                    output, force, work, resume, checkpointSteps, featureCache, weights, name, modelVersion, licence,
                    trainingData, trainingTerms,
                ]),
        ],
        examples: [
            Example(
                "Flickr8k, both stages",
                "kaption-model train --dataset Flickr8k.token.txt --images Images --train-split Flickr_8k.trainImages.txt "
                    + "--dev-split Flickr_8k.devImages.txt --encoder Models/kaption-small --flips "
                    + "--self-critical-epochs 8 --output Models/mine"),
            Example(
                "Go on with more data",
                "kaption-model train --dataset captions.txt --images Images --from Models/mine --epochs 3 "
                    + "--learning-rate 0.0005 --output Models/mine-2"),
        ])

    static func settings(_ options: ParsedOptions) -> TrainingSettings {
        var settings = TrainingSettings()
        settings.seed = UInt64(options[seed])
        settings.epochs = options[epochs]
        settings.batch = options[batch]
        settings.learningRate = options[learningRate]
        settings.dropout = Float(options[dropout])
        settings.smoothing = Float(options[labelSmoothing])
        settings.clip = options[clip]
        settings.frozenEmbedding = options[freezeEmbeddings]
        settings.patience = options[patience]
        settings.selection = options[select] == "bleu-4" ? .bleu4 : .ciderD
        settings.maximumWords = options[maxWords]
        settings.selfCritical.epochs = options[selfCriticalEpochs]
        settings.selfCritical.learningRate = options[selfCriticalRate]
        settings.selfCritical.images = options[selfCriticalImages]
        settings.selfCritical.samples = options[samples]
        settings.selfCritical.baseline = options[baseline]
        settings.selfCritical.bleuWeight = options[bleuReward]
        return settings
    }
}
