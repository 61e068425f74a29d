import Foundation
import TestSupport
import Testing

@testable import Inference

struct ModelImportTests {
    @Test func makesABundleThatLoads() throws {
        var test = try TestBundle()
        test.source.licence = "MIT"
        test.source.version = "2.1"
        let manifest = try test.source.run(to: test.path)
        let bundle = try test.load()
        #expect(bundle.manifest == manifest)
        #expect((manifest.name, manifest.version, manifest.licence) == ("tiny", "2.1", "MIT"))
        #expect(manifest.trainingData == "none")
        #expect(manifest.preprocessing.mean == [127.5, 127.5, 127.5])
        #expect(manifest.decoding == ModelManifest.Decoding(beam: 3, alpha: 1, maxWords: 20))
        for (name, tensor) in TestBundle.decoder { #expect(try bundle.tensor(name).values == tensor.values) }
        #expect(try bundle.tensor("encoder.0.weight").shape == [2, 3, 3, 3])
    }

    @Test(arguments: ModelImport.Weights.allCases)
    func isReproducible(_ weights: ModelImport.Weights) throws {
        var test = try TestBundle()
        test.source.weights = weights
        let places = ["/one", "/two"].map { test.folder.url.path + $0 }
        for place in places { try test.source.run(to: place) }
        for name in ["model.json", "weights.safetensors", "vocabulary.txt"] {
            let files = try places.map { try Data(contentsOf: URL(fileURLWithPath: "\($0)/\(name)")) }
            #expect(files[0] == files[1], "\(name)")
        }
    }

    @Test func replacesOnlyABundleAndOnlyWhenTold() throws {
        let test = try TestBundle.written()
        #expect(throws: ModelError("\(test.path) exists already; give --force to replace it, or another place")) {
            try test.source.run(to: test.path)
        }
        try test.folder.write("bundle/stale", Data())
        try test.source.run(to: test.path, replaces: true)
        #expect(try test.load().manifest.name == "tiny")
        #expect(!FileManager.default.fileExists(atPath: test.path + "/stale"))
        let other = test.folder.url.path + "/photographs"
        try test.folder.write("photographs/a.jpg", Data())
        #expect(throws: ModelError("\(other) is no model bundle, and is not replaced")) {
            try test.source.run(to: other, replaces: true)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: test.folder.url.path).filter {
            $0.hasPrefix(".")
        }
        #expect(left.isEmpty)
    }

    @Test func leavesNothingBehindAfterAnError() throws {
        let test = try TestBundle(vocabulary: "<pad>\n<start>\n<end>\n<unk>\na\n")
        #expect(throws: ModelError.self) { try test.source.run(to: test.path) }
        let names = try FileManager.default.contentsOfDirectory(atPath: test.folder.url.path).sorted()
        #expect(names == ["config.json", "decoder.safetensors", "encoder.onnx", "vocabulary.txt"])
    }

    /// Changes of the configuration by replacing text, and what the import is refused with.
    @Test(arguments: [
        ("\"width\": 4", "\"width\": 0", "width and height"), ("\"width\": 4", "\"width\": \"4\"", "width"),
        ("\"height\": 4, ", "", "height is missing"), ("\"tf\"", "\"imagenet\"", "imagenet"),
        ("\"normalization\": \"tf\"", "\"mean\": [1, 2]", "std is missing"),
        ("\"normalization\": \"tf\"", "\"mean\": [1, 2], \"std\": [1, 1, 1]", "three values"),
        (
            "\"normalization\": \"tf\"", "\"normalization\": \"tf\", \"feature_size\": 3",
            "makes 2 features, and the configuration says 3"
        ),
        ("\"features\"", "\"pooled\"", "no output \"pooled\""), ("show-and-tell", "attend", "attend"),
        ("\"hidden_size\": 2", "\"hidden_size\": 2, \"gates\": \"i,f,o,g\"", "gates"),
        ("\"hidden_size\": 2", "\"hidden_size\": 4", "\"lstm.bias_hh_l0\" has shape [8], and the model needs [16]"),
        ("\"hidden_size\": 2", "\"hidden_size\": 2, \"hidden_size\": 2", "comes twice"),
        ("\"tiny\"", "\"a b\"", "name"),
        ("\"encoder\"", "\"encoders\"", "no object \"encoder\""),
    ])
    func refusesAConfiguration(_ text: String, _ replacement: String, _ reason: String) throws {
        let changed = TestBundle.configuration.replacingOccurrences(of: text, with: replacement)
        #expect(changed != TestBundle.configuration)
        let test = try TestBundle(configuration: changed)
        do {
            try test.source.run(to: test.path)
            Issue.record("accepted")
        } catch let error as ModelError {
            #expect(error.message.contains(reason), "\(error.message)")
        }
    }

    @Test func takesEveryNamedNormalisation() throws {
        for name in ["torchvision", "torch", "tf", "caffe"] {
            let test = try TestBundle(
                configuration: TestBundle.configuration.replacingOccurrences(of: "\"tf\"", with: "\"\(name)\""))
            let preprocessing = try test.source.run(to: test.path).preprocessing
            #expect(preprocessing.channels == (name == "caffe" ? .bgr : .rgb))
            #expect(preprocessing.mean == Preprocessing.Normalisation(rawValue: name)?.mean)
        }
    }

    @Test func refusesADecoderThatDoesNotFit() throws {
        for (name, replacement) in [
            ("output.bias", nil), ("extra", WeightTensor(shape: [1], values: [0])),
            ("image.weight", WeightTensor(shape: [3, 3], values: Array(repeating: 0, count: 9))),
        ] {
            var decoder = TestBundle.decoder
            decoder[name] = replacement
            let test = try TestBundle(decoder: decoder)
            do {
                try test.source.run(to: test.path)
                Issue.record("accepted")
            } catch let error as ModelError {
                #expect(
                    error.message.contains("\"\(name)\"") && error.message.contains("decoder.safetensors"), "\(error)")
            }
        }
    }
}
