import CommandLineOptions
import Foundation
import Inference

/// `kaption-model caption`: captions of images, without any Kafka.
enum CaptionCommand: Subcommand {
    static let model = Option.required("model", .string, "DIR", help: "The bundle.")
    static let beam = Option.optional(
        "beam", .integer(CaptionOptions.beamRange), "N",
        help: "Beams of the search, 1 is greedy; default: the bundle's.")
    static let candidates = Option.defaulted(
        "candidates", .integer(CaptionOptions.beamRange), "N", default: "1",
        help: "How many of the best captions to give, at most --beam.")
    static let maxWords = Option.optional(
        "max-words", .integer(CaptionOptions.maxWordsRange), "N",
        help: "Steps at most, the end of the caption counted; default: the bundle's, in general 20.")
    static let threads = Option.optional(
        "threads", .integer(1...1024), "N", help: "Threads that caption; default: one a core.")
    static let json = Option.flag("json", help: "Print a JSON object a line, with scores and timings.")

    static let command = Command(
        name: "caption", abstract: "Captions JPEG and PNG images.",
        discussion: """
            Prints a line an image, in the order given: the path, a tab, the caption; further candidates follow after tabs. \
            What is wrong with an image goes to standard error (with --json, to its line too), and the exit code is 1.
            """,
        sections: [
            Section("Captions", [model, beam, candidates, maxWords]),
            Section("Running", [PrecisionOption.option, threads, json]),
        ],
        positionals: Positionals("IMAGE…", help: "Image files."),
        examples: [
            Example("Two photographs", "kaption-model caption --model Models/kaption-small a.jpg b.jpg"),
            Example(
                "The three best captions with their scores",
                "kaption-model caption --model Models/kaption-small --candidates 3 --json a.jpg"),
        ])

    static func run(_ options: ParsedOptions) throws -> ExitCode {
        let captioner = try Captioner(bundle: options[model], precision: options[PrecisionOption.option])
        var decoding = captioner.defaults
        decoding.beam = options[beam] ?? decoding.beam
        decoding.candidates = options[candidates]
        decoding.maxWords = options[maxWords] ?? decoding.maxWords
        do {
            try decoding.validate()
        } catch {
            throw UsageError("\(error.message); give a larger --beam or fewer --candidates")
        }
        let paths = options.positionals
        let threads = options[threads] ?? ProcessInfo.processInfo.activeProcessorCount
        let printer = CaptionPrinter(json: options[json], total: paths.count)
        try CaptionRun(captioner: captioner, options: decoding, paths: paths).perform(threads: threads) {
            path, result in
            try printer.print(path, result)
        }
        printer.finish()
        return printer.failures == 0 ? .done : .failed
    }
}
