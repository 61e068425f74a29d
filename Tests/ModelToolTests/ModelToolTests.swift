import CommandLineOptions
import Foundation
import Inference
import TestSupport
import Testing

@testable import ModelTool

struct ModelToolTests {
    private static let box = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path

    /// Options of a command line that is to be run.
    private func parsed(_ arguments: String...) throws -> ParsedOptions {
        switch try ModelTool.command.parse(arguments, environment: [:]) {
        case .run(let options): return options
        case .show(let text): throw UsageError("shown instead: \(text)")
        }
    }

    private func shown(_ arguments: String...) throws -> String {
        switch try ModelTool.command.parse(arguments, environment: [:]) {
        case .run: throw UsageError("run instead")
        case .show(let text): return text
        }
    }

    @Test func helpNamesTheCommandsAndHasExamples() throws {
        let help = try shown("--help")
        for word in ["import", "inspect", "encode", "caption", "evaluate", "kaption-model"] {
            #expect(help.contains(word))
        }
        #expect(try shown("import", "--help").contains("--encoder"))
        #expect(try shown("import", "--help").contains("kaption-model import --encoder"))
        #expect(try shown("--version").contains(Kaption.version))
    }

    @Test func refusesWrongUsage() {
        #expect(throws: UsageError.self) { try parsed("import", "--encoder", "x.onnx") }
        #expect(throws: UsageError.self) { try parsed("inspect") }
        #expect(throws: UsageError.self) { try parsed("exspect", "--model", "x") }
    }

    @Test func aBadModelHasItsOwnExitCode() throws {
        #expect(throws: ModelError.self) { try InspectCommand.run(parsed("inspect", "--model", "/nowhere")) }
        #expect(ModelTool.exitCode(for: ModelError("broken")) == .model)
        #expect(ModelTool.exitCode(for: UsageError("wrong")) == .usage)
        #expect(ModelTool.exitCode(for: CocoaError(.fileReadNoSuchFile)) == .failed)
    }

    @Test func reportsTheModelInTheBox() throws {
        let report = BundleReport(try ModelBundle.load(directory: Self.box))
        #expect(report.layers.count == 49)
        // The stem: 3×3 over 3 channels to 32, with a bias, at 80×80.
        #expect(report.layers[0].parameters == 3 * 3 * 3 * 32 + 32)
        #expect(report.layers[0].multiplyAdds == 3 * 3 * 3 * 32 * 80 * 80)
        #expect(report.layers[0].details == "3×3 stride 2 pad 1")
        #expect(report.encoder.parameters == report.layers.reduce(0) { $0 + $1.parameters })
        let text = report.text()
        #expect(text.contains("/layers/layers.0/Conv") && text.contains("sha256:") && text.contains("Apache-2.0"))
        let json = try JSONSerialization.jsonObject(with: Data(report.json().utf8)) as? [String: Any]
        #expect((json?["layers"] as? [Any])?.count == 49)
        #expect((json?["encoder"] as? [String: Any])?["multiply_adds"] as? Int == report.encoder.multiplyAdds)
    }

    /// Features of a tensor alone and among others are the same bytes.
    @Test func encodesTensors() throws {
        let folder = try TemporaryDirectory()
        let image: [Float] = (0..<3 * 160 * 160).map { Float($0 % 251) / 125 - 1 }
        let other: [Float] = image.map { -$0 }
        let output = folder.url.appendingPathComponent("features.f32")
        var features: [Data] = []
        for images in [image, image + other] {
            let input = try folder.write("images.f32", images.withUnsafeBufferPointer { Data(buffer: $0) })
            let options = try parsed("encode", "--model", Self.box, "--input", input.path, "--output", output.path)
            #expect(try EncodeCommand.run(options) == .done)
            features.append(try Data(contentsOf: output))
        }
        #expect(features[0].count == 4 * 512)
        #expect(features[1].prefix(4 * 512) == features[0])
        #expect(features[1].suffix(4 * 512) != features[0])
        let short = try folder.write("short.f32", Data(count: 100))
        #expect(throws: UsageError.self) {
            try EncodeCommand.run(
                parsed("encode", "--model", Self.box, "--input", short.path, "--output", output.path))
        }
    }
}
