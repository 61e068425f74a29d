import Evaluation
import Foundation
import Inference

/// Captions to be scored, with their references.
struct EvaluationCaptions {
    /// Who made the captions.
    var captioner: String
    var captions: [(image: String, caption: String, references: [String])]

    /// Captions made elsewhere.
    ///
    /// - Parameter images: which to score; nil for all that have a caption.
    init(hypotheses path: String, references: CaptionFile, images: [String]?) throws {
        let hypotheses = try CaptionFile(path: path)
        captioner = URL(fileURLWithPath: path).lastPathComponent
        captions = try (images ?? hypotheses.images).map { image in
            guard let captions = hypotheses.captions(of: image) else {
                throw CaptionFileError("\(path): there is no caption of '\(image)'; every image of --split needs one")
            }
            guard captions.count == 1 else {
                throw CaptionFileError("\(path): '\(image)' has \(captions.count) captions; give one, the one to score")
            }
            return (image, captions[0], try Self.references(of: image, in: references))
        }
    }

    /// Captions that a bundle makes now, with progress on standard error.
    ///
    /// An image that cannot be captioned ends the evaluation, after the others were tried: scores over fewer images would
    /// not be comparable.
    init(
        bundle: String, folder: String, beam: Int?, precision: ModelManifest.Precision.Kind?, threads: Int?,
        references: CaptionFile, images: [String]
    ) throws {
        let captioner = try Captioner(bundle: bundle, precision: precision)
        var options = captioner.defaults
        options.beam = beam ?? options.beam
        let identity = captioner.identity
        self.captioner =
            "\(identity.name) \(identity.version) \(identity.digest) \(identity.precision) beam \(options.beam)"
        let known = try images.map { try Self.references(of: $0, in: references) }
        let paths = images.map { URL(fileURLWithPath: folder).appendingPathComponent($0).path }
        let run = CaptionRun(captioner: captioner, options: options, paths: paths)
        var progress = ProgressLine(total: paths.count)
        var captions: [String] = []
        var failures = 0
        run.perform(threads: threads ?? ProcessInfo.processInfo.activeProcessorCount) { path, outcome in
            switch outcome {
            case .success(let output): captions.append(output.candidates.first?.caption ?? "")
            case .failure(let failure):
                failures += 1
                progress.note("\(path): \(failure.code): \(failure.message)")
            }
            progress.advance()
        }
        progress.finish()
        guard failures == 0 else {
            throw CaptionFileError(
                "\(failures) of \(paths.count) images could not be captioned, so nothing was scored; leave them out of --split"
            )
        }
        self.captions = images.indices.map { (images[$0], captions[$0], known[$0]) }
    }

    private static func references(of image: String, in file: CaptionFile) throws -> [String] {
        guard let captions = file.captions(of: image), !captions.isEmpty else {
            throw CaptionFileError("--references has nothing of '\(image)'")
        }
        return captions
    }
}
