import CommandLineOptions
import Evaluation
import Foundation
import Inference

/// `kaption-model quantize`: makes a bundle fit for int8, by looking at sample images.
enum QuantizeCommand: Subcommand {
    static let model = Option.required("model", .string, "DIR", help: "The bundle.")
    static let output = Option.required("output", .string, "DIR", help: "Where the new bundle is to be.")
    static let images = Option.optional(
        "images", .string, "DIR", help: "A folder with sample images, such as the model is to caption.")
    static let split = Option.optional(
        "split", .string, "FILE",
        help: "Which images of --images to take, a name a line; default: all JPEG and PNG files.")
    static let count = Option.defaulted(
        "count", .integer(1...100_000), "N", default: "128",
        help: "How many images to look at: these many spread over all that are given.")
    static let precision = Option.defaulted(
        "precision", PrecisionOption.format, "fp32|bf16|int8", default: "int8",
        help: "What the new bundle computes in when nothing is said. It allows all three.")
    static let beam = Option.optional(
        "beam", .integer(CaptionOptions.beamRange), "N",
        help: "The beams that the new bundle searches with when nothing is said; default: as before.")
    static let wide = Option.repeated(
        "wide", .string, "LAYER", help: "A layer of the encoder that int8 leaves in floats, by its name in inspect.")
    static let floatSums = Option.flag(
        "float-sums", help: "Int8 leaves residual sums in floats, whether it has to or not.")
    static let tolerance = Option.defaulted(
        "tolerance", .number(0...100), "PERCENT", default: "5",
        help: "How far int8's features may be off before more is left in floats.")
    static let force = Option.flag("force", help: "Replace a bundle that is there already.")

    static let command = Command(
        name: "quantize", abstract: "Calibrates a bundle for int8 on sample images.",
        discussion: """
            The encoder runs in fp32 over the images, and each of its values gets the scale and the zero point with which
            8-bit integers come closest to it (least mean squared error). The weights stay as they are: one bundle serves fp32, bf16 and
            int8. Where int8's features are further off those of fp32 than the tolerance, residual sums and then the first layers are left in
            floats. A hundred images of the kind that the model is to caption are plenty; take none that it will be measured on.
            """,
        sections: [
            Section("Bundles", [model, output, precision, beam, wide, floatSums, tolerance, force]),
            Section("Calibration", [images, split, count]),
        ],
        positionals: Positionals("IMAGE…", count: 0...Int.max, help: "Sample images, beside those of --images."),
        examples: [
            Example(
                "Calibrate on Flickr8k's training photographs",
                "kaption-model quantize --model Models/mine --images flickr8k/images "
                    + "--split Flickr_8k.trainImages.txt --output Models/mine-int8"),
            Example(
                "Is it as good? Compare on other photographs",
                "kaption-model evaluate --model Models/mine-int8 --precision int8 --images flickr8k/images "
                    + "--references Flickr8k.token.txt --split Flickr_8k.devImages.txt --output int8.json"),
        ])

    static func run(_ options: ParsedOptions) throws -> ExitCode {
        let paths = try samples(options)
        let quantiser = try ModelQuantiser(bundle: options[model])
        var progress = ProgressLine(total: paths.count)
        var failures = 0
        for path in paths {
            do {
                let file = try FileBytes(path: path, limit: ImageLimits().maximumBytes)
                do throws(InferenceError) {
                    try withExtendedLifetime(file) { () throws(InferenceError) in try quantiser.observe(file.bytes) }
                } catch {
                    throw CaptionFailure(error)
                }
            } catch let failure as CaptionFailure {
                failures += 1
                progress.note("\(path): \(failure.code): \(failure.message)")
            }
            progress.advance()
        }
        progress.finish()
        guard failures == 0 else {
            throw UsageError("\(failures) of \(paths.count) images could not be read; leave them out")
        }
        let manifest = try quantiser.write(
            to: options[output], replaces: options[force], default: options[precision], beam: options[beam],
            floats: .init(
                layers: options[wide], sums: options[floatSums], tolerance: options[tolerance] / 100))
        print(
            "\(options[output]): \(manifest.name) \(manifest.version), calibrated on \(paths.count) images, "
                + "default \(manifest.precision.default.rawValue), \(manifest.digest)")
        if let quantisation = manifest.quantisation {
            let error = String(format: "%.1f%%", 100 * quantisation.calibration.featureError)
            print(
                "int8's features are \(error) off those of fp32"
                    + (quantisation.floatSums ? ", with residual sums in floats" : "")
                    + (quantisation.wide.isEmpty ? "" : ", \(quantisation.wide.count) layers in floats"))
            if quantisation.calibration.featureError > 0.2 {
                print(
                    "that is far: captions may well differ; \"kaption-model evaluate --precision int8\" tells, or take bf16"
                )
            }
        }
        return .done
    }

    /// The images to look at, at most `--count`, spread evenly over those given.
    private static func samples(_ options: ParsedOptions) throws -> [String] {
        var paths = options.positionals
        if let folder = options[images] {
            let names: [String]
            if let split = options[split] {
                names = try SplitFile.images(path: split)
            } else {
                names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted().filter { name in
                    [".jpg", ".jpeg", ".png"].contains { name.lowercased().hasSuffix($0) }
                }
            }
            paths += names.map { URL(fileURLWithPath: folder).appendingPathComponent($0).path }
        } else if options[split] != nil {
            throw UsageError("--split goes with --images DIR, where its images lie")
        }
        guard !paths.isEmpty else { throw UsageError("give sample images: --images DIR, or files") }
        let count = min(options[count], paths.count)
        return (0..<count).map { paths[$0 * paths.count / count] }
    }
}
