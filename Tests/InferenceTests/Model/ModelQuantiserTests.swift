import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

@Suite("Quantising the model in the box")
struct ModelQuantiserTests {
    private static let box = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../../Models/kaption-small").standardizedFileURL.path

    private func pictures(_ count: Int) throws -> [Data] {
        let scenes = Array(SampleScene.allCases)
        return try (0..<count).map {
            try JPEGFile().write(scenes[$0 % scenes.count].draw(width: 200 + 7 * $0, height: 180))
        }
    }

    private func captions(_ captioner: Captioner, _ pictures: [Data], batch: Int) throws -> [String] {
        let session = captioner.makeSession(maximumBatch: batch)
        var captions: [String] = []
        for first in stride(from: 0, to: pictures.count, by: batch) {
            let members = pictures[first..<min(first + batch, pictures.count)].map { NSData(data: $0) }
            let inputs = members.map {
                CaptionSession.Input(
                    bytes: UnsafeRawBufferPointer(start: $0.bytes, count: $0.length), options: captioner.defaults)
            }
            var found = Array(repeating: "", count: members.count)
            var failure: InferenceError?
            withExtendedLifetime(members) {
                session.caption(inputs) { index, result in
                    switch result {
                    case .success(let output): found[index] = "\(output.candidates)"
                    case .failure(let error): failure = error
                    }
                }
            }
            if let failure { throw failure }
            captions += found
        }
        return captions
    }

    @Test func everyPrecisionCaptionsAndSaysWhichItIs() throws {
        let folder = try TemporaryDirectory()
        let path = folder.url.path + "/quantised"
        let pictures = try pictures(6)
        let quantiser = try ModelQuantiser(bundle: Self.box)
        for picture in pictures { try picture.withUnsafeBytes { try quantiser.observe($0) } }
        let manifest = try quantiser.write(to: path, default: .bf16)
        #expect(manifest.precision == .init(default: .bf16, allowed: [.fp32, .bf16, .int8]))
        #expect(try ModelBundle.load(directory: path).manifest == manifest)
        #expect(try Captioner(bundle: path).identity.precision == "bf16")
        var wider = manifest.decoding
        wider.beam = 5
        #expect(try quantiser.write(to: path + "-wider", beam: 5).decoding == wider)

        for precision in ModelManifest.Precision.Kind.allCases {
            let captioner = try Captioner(bundle: path, precision: precision)
            #expect(captioner.identity.precision == precision.rawValue)
            let together = try captions(captioner, pictures, batch: 4)
            #expect(together == (try captions(captioner, pictures, batch: 1)), "\(precision)")
            #expect(Set(together).count > 1)
        }
        let boxed = try captions(try Captioner(bundle: Self.box, precision: .fp32), pictures, batch: 4)
        #expect(boxed == (try captions(try Captioner(bundle: path, precision: .fp32), pictures, batch: 4)))
    }

    @Test func whatCannotBeQuantisedSaysWhy() throws {
        let folder = try TemporaryDirectory()
        let quantiser = try ModelQuantiser(bundle: Self.box)
        #expect(throws: ModelError.self) { try quantiser.write(to: folder.url.path + "/none") }
        #expect(throws: InferenceError.self) {
            try Data("no image".utf8).withUnsafeBytes { try quantiser.observe($0) }
        }
        try pictures(1)[0].withUnsafeBytes { try quantiser.observe($0) }
        #expect(throws: ModelError.self) {
            try quantiser.write(to: folder.url.path + "/none", floats: .init(layers: ["no such layer"]))
        }
    }

    @Test func bundlesThatDoNotFitAreRefused() throws {
        let bundle = try TestBundle.written()
        #expect(bundle.refusal() == nil)
        #expect(throws: ModelError.self) { try Captioner(bundle: bundle.path, precision: .int8) }
        #expect(throws: ModelError.self) { try Captioner(bundle: bundle.path, precision: .bf16) }
        try bundle.edit { $0["precision"] = ["default": "int8", "allowed": ["int8"]] }
        #expect(bundle.refusal()?.contains("no quantisation") == true)
        let calibration: [String: Any] = ["images": 1, "method": "none", "feature_error": 0]
        for edge in [
            ["value": 99, "scale": 1, "zero_point": 0], ["value": 0, "scale": 0, "zero_point": 0],
            ["value": 0, "scale": 1, "zero_point": -1],
        ] {
            try bundle.edit {
                $0["quantisation"] = [
                    "edges": [edge], "wide": [], "float_sums": false, "calibration": calibration,
                ]
            }
            #expect(bundle.refusal()?.contains("quantisation") == true)
        }
        try bundle.edit {
            $0["quantisation"] = ["edges": [], "wide": [], "float_sums": false, "calibration": calibration]
        }
        #expect(bundle.refusal() == nil)
        #expect(throws: ModelError.self) { try Captioner(bundle: bundle.path) }
        let file = URL(fileURLWithPath: bundle.path + "/corrections.safetensors")
        try Data("not a tensor".utf8).write(to: file)
        try bundle.seal()
        #expect(bundle.refusal()?.contains("corrections") == true)
        try SafetensorsWriter.write(
            ["x": WeightTensor(shape: [1], values: [.nan])], precision: .f32, to: file.path)
        try bundle.seal()
        #expect(bundle.refusal()?.contains("not finite") == true)
    }
}
