import CommandLineOptions
import Foundation
import Inference

/// `kaption-model encode`: an encoder's features of ready tensors, for comparison with other runtimes.
enum EncodeCommand: Subcommand {
    static let model = Option.required("model", .string, "DIR", help: "The bundle.")
    static let input = Option.required(
        "input", .string, "FILE.f32", help: "Images [N, 3, height, width], normalised, as little-endian 32-bit floats.")
    static let output = Option.required(
        "output", .string, "FILE.f32", help: "Where the features [N, features] go, as little-endian 32-bit floats.")

    static let command = Command(
        name: "encode", abstract: "Runs a bundle's encoder over ready tensors.",
        discussion: """
            No image is decoded, resized or normalised: the input is what the encoder's ONNX original
            takes. All images make one micro-batch.
            """,
        sections: [Section("Encoding", [model, input, output, PrecisionOption.option])],
        examples: [
            Example(
                "Features of a tensor",
                "kaption-model encode --model Models/kaption-small --input images.f32 --output features.f32")
        ])

    static func run(_ options: ParsedOptions) throws -> ExitCode {
        let bundle = try ModelBundle.load(directory: options[model])
        let encoder = try Encoder(
            graph: bundle.manifest.encoder, weights: bundle.tensor,
            precision: options[PrecisionOption.option] ?? bundle.manifest.precision.default,
            quantisation: bundle.manifest.quantisation)
        let pixels = encoder.inputHeight * encoder.inputWidth
        let channels = encoder.inputChannels
        let data = try Data(contentsOf: URL(fileURLWithPath: options[input]))
        let imageBytes = 4 * pixels * channels
        let count = data.count / imageBytes
        guard count >= 1, data.count == count * imageBytes else {
            throw UsageError(
                "\(options[input]): \(data.count) bytes are no whole number of images of \(imageBytes) bytes "
                    + "(\(channels)×\(encoder.inputHeight)×\(encoder.inputWidth))"
            )
        }
        let workspace = encoder.makeWorkspace(maximumBatch: count)
        data.withUnsafeBytes { raw in
            for image in 0..<count {
                for channel in 0..<channels {
                    let plane = (image * channels + channel) * pixels
                    for pixel in 0..<pixels {
                        workspace.input[pixel * Encoder.inputPixelStride + channel] =
                            raw.loadUnaligned(fromByteOffset: 4 * (plane + pixel), as: Float.self)
                    }
                }
                workspace.encode(row: image)
            }
        }
        workspace.finish(rows: count)
        var features = Data()
        for image in 0..<count {
            features.append(
                Data(buffer: UnsafeBufferPointer(start: workspace.features(row: image), count: encoder.featureSize)))
        }
        try features.write(to: URL(fileURLWithPath: options[output]))
        print("\(options[output]): \(count)×\(encoder.featureSize)")
        return .done
    }
}
