import Foundation
import TestSupport
import Testing

@testable import Inference

struct ModelBundleTests {
    @Test func loadsTheModelInTheBox() throws {
        let path = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path
        let bundle = try ModelBundle.load(directory: path)
        #expect(bundle.manifest.name == "kaption-small")
        #expect(bundle.manifest.licence == "Apache-2.0")
        #expect(try bundle.manifest.encoder.featureSize() == 512)
        #expect(bundle.vocabulary.count == 2541)
        #expect(bundle.vocabulary.words[2] == "<end>")
        #expect(bundle.tensors["output.weight"]?.type == "F16")
        let bytes = try FileManager.default.contentsOfDirectory(atPath: path).reduce(0) {
            try $0 + Data(contentsOf: URL(fileURLWithPath: "\(path)/\($1)")).count
        }
        #expect(bytes < 25_000_000)
    }

    /// The rule as it is written down, by coreutils.
    @Test func digestAgreesWithCoreutils() throws {
        let bundle = try TestBundle.written()
        try bundle.folder.write("bundle/LICENSE", Data("free\n".utf8))
        try bundle.seal()
        let script = """
            cd "$1" && for file in *; do
              sed 's/"digest" : "sha256:[0-9a-f]*"/"digest" : ""/' "$file" > "$2"
              [ "$file" = model.json ] || cp "$file" "$2"
              echo "$file $(wc -c < "$2") $(sha256sum < "$2" | cut -d' ' -f1)"
            done | LC_ALL=C sort | sha256sum | cut -d' ' -f1
            """
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", script, "sh", bundle.path, bundle.folder.url.path + "/blank"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(try bundle.load().digest == "sha256:" + output.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    @Test func knowsSHA256() {
        // FIPS 180-2, appendix B.1 and the empty message.
        #expect(
            SHA256.hexadecimal(Array("abc".utf8)) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(SHA256.hexadecimal([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func refusesAnyChangedFile() throws {
        for name in ["model.json", "weights.safetensors", "vocabulary.txt"] {
            let bundle = try TestBundle.written()
            let file = URL(fileURLWithPath: "\(bundle.path)/\(name)")
            var data = try Data(contentsOf: file)
            // In model.json, the name's first letter; elsewhere, the last byte but one.
            let place =
                name == "model.json"
                ? try #require(data.range(of: Data("\"tiny\"".utf8))).lowerBound + 1 : data.count - 2
            data[place] ^= 1
            try data.write(to: file)
            #expect(bundle.refusal()?.contains("digest does not fit") == true, "\(name)")
        }
        let bundle = try TestBundle.written()
        try bundle.folder.write("bundle/extra", Data())
        #expect(bundle.refusal()?.contains("digest does not fit") == true)
    }

    @Test func refusesMissingFiles() throws {
        for name in ["model.json", "weights.safetensors", "vocabulary.txt"] {
            let bundle = try TestBundle.written()
            try FileManager.default.removeItem(atPath: "\(bundle.path)/\(name)")
            #expect(bundle.refusal()?.contains(bundle.path) == true)
        }
        #expect(throws: ModelError.self) { try ModelBundle.load(directory: "/nowhere/at/all") }
    }

    @Test func refusesAManifestCutOffAnywhere() throws {
        let bundle = try TestBundle.written()
        let file = URL(fileURLWithPath: bundle.path + "/model.json")
        let whole = try Data(contentsOf: file)
        // Without its last byte, a line feed, it is whole JSON of another digest.
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: file)
            #expect(bundle.refusal() != nil, "after \(length) bytes")
        }
    }

    @Test func survivesAnyChangedByteOfAManifestThatFits() throws {
        let bundle = try TestBundle.written()
        let file = URL(fileURLWithPath: bundle.path + "/model.json")
        let whole = try Data(contentsOf: file)
        var random = RandomNumbers(seed: 8)
        for _ in 0..<500 {
            var data = whole
            let place = Int.random(in: 0..<data.count, using: &random)
            data[place] = random.pick(Array("0123456789-\"[]{},:ax".utf8))
            try data.write(to: file)
            try? bundle.seal()
            _ = bundle.refusal()
        }
    }

    /// A change of the manifest, and what it is refused with.
    static let edits: [(String, @Sendable (inout [String: Any]) -> Void)] = [
        ("format 2", { $0["format"] = 2 }), ("no format number", { $0["format"] = nil }),
        ("no format number", { $0["format"] = "1" }), ("name", { $0["name"] = "" }), ("name", { $0["name"] = "a/b" }),
        ("version", { $0["version"] = "a b" }), ("encoder is missing", { $0["encoder"] = nil }),
        ("precision", { $0["precision"] = ["default": "fp32", "allowed": []] as [String: Any] }),
        ("precision", { $0["precision"] = ["default": "fp8", "allowed": ["fp8"]] as [String: Any] }),
        ("beam", { $0["decoding"] = ["beam": 11, "alpha": 1, "max_words": 20] }),
        ("max_words", { $0["decoding"] = ["beam": 3, "alpha": 1, "max_words": 0] }),
        ("alpha", { $0["decoding"] = ["beam": 3, "alpha": -1, "max_words": 20] }),
        ("input is 4×4×3", { $0.set("preprocessing", "width", 5) }), ("width", { $0.set("preprocessing", "width", 0) }),
        ("std", { $0.set("preprocessing", "std", [1, 0, 1]) }), ("kind", { $0.set("decoder", "kind", "transformer") }),
        ("\"embedding.weight\" has shape [6, 3]", { $0.set("decoder", "embedding_size", 4) }),
        ("hidden_size", { $0.set("decoder", "hidden_size", -1) }),
        ("hidden_size", { $0.set("decoder", "hidden_size", 1 << 40) }),
        ("token ids", { $0.set("decoder", "tokens", ["pad": 0, "start": 1, "end": 6, "unknown": 3]) }),
        ("token ids", { $0.set("decoder", "tokens", ["pad": 0, "start": 1, "end": 1, "unknown": 3]) }),
        ("0 nodes", { $0.set("encoder", "nodes", [Any]()) }),
        ("one or three sizes", { $0.set("encoder", "input", [4, 4]) }),
        ("reads a value", { $0.node(0, "inputs", [1]) }), ("reads a value", { $0.node(1, "inputs", [-1]) }),
        ("has 0 inputs", { $0.node(1, "inputs", [Int]()) }), ("has 2 inputs", { $0.node(1, "inputs", [0, 1]) }),
        ("unknown operation", { $0.node(1, "operation", "rm") }), ("no weight", { $0.node(0, "weight", "w") }),
        ("four dimensions", { $0.node(0, "weight", "encoder.0.bias") }),
        ("not [2]", { $0.node(0, "bias", "image.bias") }),
        ("which nothing reads", { $0.node(0, "bias", nil) }),
        ("2×2 over 3 channels", { $0.node(0, "kernel", [2, 2]) }),
        ("needs 2 numbers", { $0.node(0, "kernel", [3]) }), ("out of range", { $0.node(0, "stride", [0, 1]) }),
        ("out of range", { $0.node(0, "padding", [-1, 0, 0, 0]) }),
        ("out of range", { $0.node(0, "dilation", [1 << 40, 1]) }),
        ("groups do not fit", { $0.node(0, "groups", 2) }), ("groups do not fit", { $0.node(0, "groups", 0) }),
        ("the graph says", { $0.node(0, "shape", [4, 4, 3]) }),
        ("empty or too large", { $0.node(0, "shape", [4, -4, 2]) }),
        ("empty or too large", { $0.node(0, "shape", [1 << 20, 1 << 20, 1 << 20]) }),
        ("not one vector", { $0.dropLastNode() }),
    ]

    @Test(arguments: edits.indices)
    func refusesAnEditedManifest(_ index: Int) throws {
        let (reason, change) = Self.edits[index]
        let bundle = try TestBundle.written()
        try bundle.edit(change)
        let refusal = try #require(bundle.refusal())
        #expect(refusal.contains(reason), "\(refusal)")
        #expect(refusal.contains(bundle.path))
    }

    @Test func refusesWeightsThatDoNotFit() throws {
        let bundle = try TestBundle.written()
        var tensors = TestBundle.decoder
        let encoder = try ONNXFile.small.imported().weights
        tensors.merge(encoder) { $1 }
        tensors["stray"] = WeightTensor(shape: [1], values: [0])
        let path = bundle.path + "/weights.safetensors"
        try SafetensorsWriter.write(tensors, precision: .f32, to: path)
        try bundle.seal()
        #expect(bundle.refusal()?.contains("\"stray\", which nothing reads") == true)
        tensors["stray"] = nil
        tensors["output.bias"] = WeightTensor(shape: [5], values: [0, 0, 0, 0, 0])
        try SafetensorsWriter.write(tensors, precision: .f32, to: path)
        try bundle.seal()
        #expect(bundle.refusal()?.contains("\"output.bias\" has shape [5], and the model needs [6]") == true)
    }
}

extension [String: Any] {
    fileprivate mutating func set(_ section: String, _ key: String, _ value: Any) {
        var members = self[section] as? [String: Any] ?? [:]
        members[key] = value
        self[section] = members
    }

    fileprivate mutating func node(_ index: Int, _ key: String, _ value: Any?) {
        var encoder = self["encoder"] as? [String: Any] ?? [:]
        var nodes = encoder["nodes"] as? [[String: Any]] ?? []
        nodes[index][key] = value
        encoder["nodes"] = nodes
        self["encoder"] = encoder
    }

    fileprivate mutating func dropLastNode() {
        var encoder = self["encoder"] as? [String: Any] ?? [:]
        encoder["nodes"] = (encoder["nodes"] as? [[String: Any]])?.dropLast().map { $0 }
        self["encoder"] = encoder
    }
}
