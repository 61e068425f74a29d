import Foundation
import Inference
import Kernels

/// Answers requests for measurements, a line of JSON each, so that a comparison can ask several stacks in turn without loading
/// them anew (`Benchmarks/peers/compare.py`):
///
///     {"task": "peak", "precision": "bf16"}
///     {"task": "encoder", "bundle": DIR, "precision": "int8", "batch": 8, "seconds": 1}
///     {"task": "decoder", "bundle": DIR, "folder": DIR, "precision": "fp32", "batch": 8, "seconds": 1}
///     {"task": "image", "file": FILE, "resize": "short-side-crop", "seconds": 1}
final class Server {
    /// What was loaded last, and from where: a comparison asks for the same again and again.
    private var loaded: (bundle: String, precision: ModelManifest.Precision.Kind, model: Any)?

    private struct Request: Decodable {
        var task: String
        var bundle: String?
        var precision: ModelManifest.Precision.Kind?
        /// Of a decoder: where `features.f32` lies, 8 features.
        var folder: String?
        var file: String?
        var resize: Preprocessing.Resize?
        var batch: Int?
        var seconds: Double?
    }

    private struct Answer: Encodable {
        var error: String?
        var gigaflops: Double?
        /// Milliseconds an image.
        var median: Double?
        var fastest: Double?
        /// Floating-point operations an image, a multiply-add counting two.
        var operations: Int?
        var captions: [String]?

        init(_ timing: Timing, images: Int = 1) {
            (median, fastest) = (timing.median / Double(images), timing.fastest / Double(images))
        }

        init() {}
    }

    func run() throws {
        let encoder = JSONEncoder()
        while let line = readLine() {
            var answer = Answer()
            do {
                answer = try self.answer(JSONDecoder().decode(Request.self, from: Data(line.utf8)))
            } catch {
                answer.error = "\(error)"
            }
            try FileHandle.standardOutput.write(contentsOf: encoder.encode(answer) + Data("\n".utf8))
        }
    }

    private func answer(_ request: Request) throws -> Answer {
        func given<Value>(_ value: Value?, _ name: String) throws -> Value {
            guard let value else { throw ModelError("the request has no \(name)") }
            return value
        }
        let precision = request.precision ?? .fp32
        switch request.task {
        case "peak":
            var answer = Answer()
            answer.gigaflops = Peak.gigaoperations(kaption_isa_best(), precision, seconds: 0.5)
            return answer
        case "encoder":
            return try encoder(
                given(request.bundle, "bundle"), precision, request.batch ?? 1, given(request.seconds, "seconds"))
        case "decoder":
            return try decoder(
                given(request.bundle, "bundle"), precision, given(request.folder, "folder"), request.batch ?? 1,
                given(request.seconds, "seconds"))
        case "image":
            let file = try Data(contentsOf: URL(fileURLWithPath: given(request.file, "file")))
            return Answer(
                try ImageBenchmark.time(
                    file, resize: request.resize ?? .stretch, seconds: given(request.seconds, "seconds")))
        default: throw ModelError("no task \"\(request.task)\"")
        }
    }

    private func encoder(
        _ bundle: String, _ precision: ModelManifest.Precision.Kind, _ batch: Int, _ seconds: Double
    ) throws -> Answer {
        let model = try load(bundle, precision) { try EncoderBenchmark.Model($0, precision: precision) }
        var answer = Answer(EncoderBenchmark.time(model, batch: batch, seconds: seconds))
        answer.operations = 2 * model.multiplyAdds
        return answer
    }

    private func load<Model>(
        _ directory: String, _ precision: ModelManifest.Precision.Kind, _ make: (ModelBundle) throws -> Model
    ) throws -> Model {
        if let loaded, loaded.bundle == directory, loaded.precision == precision, let model = loaded.model as? Model {
            return model
        }
        loaded = nil
        let model = try make(ModelBundle.load(directory: directory))
        loaded = (directory, precision, model)
        return model
    }

    private func decoder(
        _ directory: String, _ precision: ModelManifest.Precision.Kind, _ folder: String, _ batch: Int,
        _ seconds: Double
    ) throws -> Answer {
        let decoder = try load(directory, precision) { bundle in
            let featureSize = try bundle.tensor("image.weight").shape[1]
            return try CaptionDecoder(
                configuration: DecoderConfiguration(manifest: bundle.manifest, featureSize: featureSize),
                weights: bundle.tensor, vocabulary: bundle.vocabulary.words, precision: precision)
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/features.f32"))
        let count = batch * decoder.configuration.featureSize
        guard data.count >= count * MemoryLayout<Float>.stride else { throw ModelError("too few features") }
        var features = [Float](repeating: 0, count: count)
        _ = features.withUnsafeMutableBytes { data.copyBytes(to: $0) }
        let (timing, captions) = try DecoderBenchmark.time(decoder, features: features, batch: batch, seconds: seconds)
        var answer = Answer(timing, images: batch)
        answer.captions = captions
        answer.operations = DecoderBenchmark.operations(decoder)
        return answer
    }
}
