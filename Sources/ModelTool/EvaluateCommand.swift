import CommandLineOptions
import Evaluation
import Foundation
import Inference

/// `kaption-model evaluate`: scores of captions against what people wrote.
enum EvaluateCommand: Subcommand {
    static let hypotheses = Option.optional(
        "hypotheses", .string, "FILE", help: "Captions made elsewhere, one an image.")
    static let model = Option.optional("model", .string, "DIR", help: "A bundle that is to caption the images now.")
    static let images = Option.optional(
        "images", .string, "DIR", help: "Where the images lie: for --model, and for the pictures of --report.")
    static let references = Option.optional("references", .string, "FILE", help: "What people wrote of the images.")
    static let split = Option.optional(
        "split", .string, "FILE",
        help:
            "Which images to score, a name a line; default: those of --hypotheses, with --model those of --references.")
    static let documentFrequencies = Option.optional(
        "document-frequencies", .string, "FILE",
        help: "References whose document frequencies CIDEr-D is to use; default: those of the images scored.")
    static let beam = Option.optional(
        "beam", .integer(CaptionOptions.beamRange), "N", help: "Beams of the search; default: the bundle's.")
    static let threads = Option.optional(
        "threads", .integer(1...1024), "N", help: "Threads that caption; default: one a core.")
    static let compare = Option.flag("compare", help: "Compare two files written by --output: a paired bootstrap test.")
    static let resamples = Option.defaulted(
        "resamples", .integer(100...1_000_000), "N", default: "1000", help: "Resamples of the bootstrap.")
    static let seed = Option.defaulted("seed", .integer(0...Int.max), "N", default: "1", help: "Seed of the bootstrap.")
    static let output = Option.optional(
        "output", .string, "FILE.json", help: "Write all scores, the images' too, for --compare and other tools.")
    static let report = Option.optional(
        "report", .string, "FILE.html", help: "Write a page with the worst and the best captions and all others.")
    static let json = Option.flag("json", help: "Print the scores as one JSON object.")

    static let command = Command(
        name: "evaluate", abstract: "Scores captions: BLEU, ROUGE-L and CIDEr-D.",
        discussion: """
            Tokens and scores are those of coco-caption; intervals hold 95% of a bootstrap over the images. The line that
            begins with 'signature' says how scores were computed: only equal signatures are comparable.

            Captions and references are read in any of these forms, told apart by their content:
              photo.jpg#0<tab>A caption .                          Flickr8k's token file; #0 may be missing
              {"image": "photo.jpg", "caption": "…"}               JSON lines; for several, "captions": ["…"]
              [{"image_id": 42, "caption": "…"}]                   COCO's results
              {"images": […], "annotations": [{"image_id": 42, "caption": "…"}]}  COCO's annotations
            What kaption-model caption prints, with --json or without, is among them.
            """,
        sections: [
            Section("Captions", [hypotheses, model, images, references, split]),
            Section("Scores", [documentFrequencies, compare, resamples, seed]),
            Section("Model", [beam, PrecisionOption.option, threads]),
            Section("Results", [output, report, json]),
        ],
        positionals: Positionals("A.json B.json", count: 0...2, help: "With --compare: two files written by --output."),
        examples: [
            Example(
                "Score a model on Flickr8k's dev photographs",
                "kaption-model evaluate --model Models/kaption-small --images flickr8k/images "
                    + "--references Flickr8k.token.txt --split Flickr_8k.devImages.txt --output small.json"),
            Example(
                "Score captions made elsewhere",
                "kaption-model evaluate --hypotheses captions.jsonl --references annotations.json"),
            Example("Is the second model better?", "kaption-model evaluate --compare small.json large.json"),
        ])

    static func run(_ options: ParsedOptions) throws -> ExitCode {
        // Any Int that the option lets pass fits.
        let bootstrap = Bootstrap(resamples: options[resamples], seed: UInt64(options[seed]))
        if options[compare] { return try compareFiles(options, bootstrap) }
        guard options.positionals.isEmpty else {
            throw UsageError(
                "'\(options.positionals[0])' is not expected; give files by --hypotheses, or add --compare")
        }
        guard let referencesPath = options[references] else {
            throw UsageError("--references is missing: a file of what people wrote of the images")
        }
        let referenceFile = try CaptionFile(path: referencesPath)
        let frequencies = try options[documentFrequencies].map { try Self.documents($0) }
        let names = try options[split].map { try SplitFile.images(path: $0) }

        let captions: EvaluationCaptions
        switch (options[hypotheses], options[model]) {
        case (let path?, nil):
            guard options[beam] == nil, options[threads] == nil, options[PrecisionOption.option] == nil else {
                throw UsageError("--beam, --precision and --threads go with --model, not with --hypotheses")
            }
            captions = try EvaluationCaptions(hypotheses: path, references: referenceFile, images: names)
        case (nil, let bundle?):
            guard let folder = options[images] else {
                throw UsageError("--model needs --images DIR, where the images lie")
            }
            captions = try EvaluationCaptions(
                bundle: bundle, folder: folder, beam: options[beam], precision: options[PrecisionOption.option],
                threads: options[threads],
                references: referenceFile,
                images: names ?? referenceFile.images)
        default:
            throw UsageError(
                "give one of --hypotheses FILE (captions made elsewhere), --model DIR and --compare A.json B.json")
        }
        let result = EvaluationResult(
            captioner: captions.captioner, captions: captions.captions, documents: frequencies?.captions,
            documentsName: frequencies?.name ?? "", bootstrap: bootstrap)
        if let path = options[output] { try write(result.json(), to: path) }
        if let path = options[report] {
            let page = EvaluationReport(result: result, images: options[images], page: path)
            try write(Data(page.html().utf8), to: path)
        }
        let text = EvaluationText(result)
        print(options[json] ? try text.json() : text.table())
        return .done
    }

    private static func compareFiles(_ options: ParsedOptions, _ bootstrap: Bootstrap) throws -> ExitCode {
        guard options.positionals.count == 2 else {
            throw UsageError("--compare takes two files written by --output, such as --compare a.json b.json")
        }
        let others = [hypotheses, model, images, references, split, documentFrequencies, output, report]
        if let other = others.first(where: { options[$0] != nil }) {
            throw UsageError("\(other.declaration.flag) does not go with --compare, which reads stored scores")
        }
        let first = try EvaluationResult(path: options.positionals[0])
        let second = try EvaluationResult(path: options.positionals[1])
        let comparison = ComparisonText(
            first: first, second: second, bootstrap: bootstrap,
            differences: try EvaluationResult.compare(first, second, bootstrap: bootstrap))
        print(options[json] ? try comparison.json() : comparison.table())
        return .done
    }

    /// References for document frequencies, and how the signature names them.
    private static func documents(_ path: String) throws -> (captions: [[String]], name: String) {
        let file = try CaptionFile(path: path)
        let name = URL(fileURLWithPath: path).lastPathComponent.replacing("|", with: "_")
        return (file.images.compactMap { file.captions(of: $0) }, "\(name):\(file.images.count)")
    }

    private static func write(_ data: Data, to path: String) throws {
        do {
            try data.write(to: URL(fileURLWithPath: path), options: .atomic)
        } catch {
            throw CaptionFileError("\(path): cannot be written: \(error.localizedDescription)")
        }
    }
}
