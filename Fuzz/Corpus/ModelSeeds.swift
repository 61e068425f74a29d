import Foundation

@testable import Inference

/// Model files: the small graphs of the parity tests, weights in every form, and manifests.
enum ModelSeeds {
    /// What `Tests/Parity/operator_cases.py` wrote.
    private struct OperatorCases: Decodable {
        struct Case: Decodable { var model: Data }
        var height: Int
        var width: Int
        var cases: [String: Case]

        static func read() throws -> OperatorCases {
            let file = URL(fileURLWithPath: "Tests/Parity/operator_cases.json")
            return try JSONDecoder().decode(OperatorCases.self, from: Data(contentsOf: file))
        }
    }

    static func onnx() throws -> [Data] {
        try OperatorCases.read().cases.sorted { $0.key < $1.key }.map(\.value.model)
    }

    static func safetensors() throws -> [Data] {
        let file = ScratchFile("seed.safetensors").path
        let tensors = [
            "a": WeightTensor(shape: [2, 3], values: (0..<6).map(Float.init)),
            "scalar": WeightTensor(shape: [], values: [1]), "none": WeightTensor(shape: [0, 4], values: []),
            "b\"\\é": WeightTensor(shape: [1, 1, 2, 1], values: [-1, 65_504]),
        ]
        var seeds = try [SafetensorsWriter.Precision.f32, .f16].flatMap { precision in
            try [tensors, ["a": tensors["a"] ?? WeightTensor(shape: [], values: [0])], [:]].map {
                try SafetensorsWriter.write($0, precision: precision, to: file)
                return try Data(contentsOf: URL(fileURLWithPath: file))
            }
        }
        for header in [
            "{}", #"{"a":{"dtype":"F32","shape":[9223372036854775807,2],"data_offsets":[0,0]}}"#,
            #"{"a":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[],"data_offsets":[2,6]}}"#,
            #"{"__metadata__":{"format":"pt"},"\u0061":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}"#,
        ] {
            seeds.append(withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Data($0) } + Data(header.utf8))
        }
        return seeds
    }

    /// Each weight is named by its shape, as `Fuzz/Targets/Manifest.swift` reads it.
    static func manifest() throws -> [Data] {
        let cases = try OperatorCases.read()
        let file = ScratchFile("seed.onnx")
        let vocabulary = (0..<16).map { "word\($0)\n" }.joined()
        return try cases.cases.sorted { $0.key < $1.key }.enumerated().map { number, entry in
            entry.value.model.withUnsafeBytes { file.write($0) }
            let (graph, weights) = try GraphImporter.importEncoder(
                path: file.path, height: cases.height, width: cases.width)
            let manifest = ModelManifest(
                name: "seed", version: "\(number)", licence: "MIT", trainingData: nil, trainingTerms: nil,
                preprocessing: Preprocessing(width: cases.width, height: cases.height, normalisation: .tf),
                encoder: graph,
                decoder: .init(
                    kind: .showAndTell, embeddingSize: 4, hiddenSize: 5,
                    tokens: .init(pad: 0, start: 1, end: 2, unknown: 3)),
                decoding: .init(), quality: nil)
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            var text = String(decoding: try encoder.encode(manifest), as: UTF8.self)
            for (name, weight) in weights {
                let shape = weight.shape.map(String.init).joined(separator: "x")
                text = text.replacingOccurrences(of: "\"\(name)\"", with: "\"\(shape) \(name)\"")
            }
            return Data(text.utf8) + (number % 2 == 0 ? Data() : Data([0]) + Data(vocabulary.utf8))
        }
    }
}
