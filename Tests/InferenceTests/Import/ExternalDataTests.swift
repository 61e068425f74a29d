import Foundation
import TestSupport
import Testing

@testable import Inference

/// Weights in a file beside the model, and every way out of the model's folder.
struct ExternalDataTests {
    private let folder: TemporaryDirectory
    private let weights = (0..<54).map { Float($0 % 7) / 8 - 0.4 }

    init() throws {
        folder = try TemporaryDirectory()
        let data = weights.withUnsafeBytes { Data($0) }
        try folder.write("models/weights.data", Data(repeating: 0, count: 64) + data)
        try folder.write("models/sub/weights.data", data)
        try folder.write("outside.data", data)
    }

    private func imported(_ entries: [String: String]) throws -> [Float]? {
        var file = ONNXFile.small
        file.tensors[0] = ONNXFile.Tensor(name: "w", shape: [2, 3, 3, 3], external: entries)
        let path = try folder.write("models/model.onnx", file.data).path
        return try GraphImporter.importEncoder(path: path, height: 4, width: 4).weights["encoder.0.weight"]?.values
    }

    @Test func readsDataBesideTheModel() throws {
        let inside = try ONNXFile.small.imported().weights["encoder.0.weight"]?.values
        #expect(try imported(["location": "weights.data", "offset": "64", "length": "216"]) == inside)
        #expect(try imported(["location": "weights.data", "offset": "64"]) == inside)
        #expect(try imported(["location": "sub/weights.data"]) == inside)
        #expect(try imported(["location": "./sub/weights.data"]) == inside)
    }

    @Test func followsALinkThatStaysInside() throws {
        try FileManager.default.createSymbolicLink(
            atPath: folder.url.path + "/models/link.data", withDestinationPath: "sub/weights.data")
        #expect(try imported(["location": "link.data"]) != nil)
    }

    @Test func refusesAWayOut() throws {
        let path = folder.url.path
        for (name, target) in [("file", "../outside.data"), ("absolute", path + "/outside.data")] {
            try FileManager.default.createSymbolicLink(atPath: "\(path)/models/\(name)", withDestinationPath: target)
        }
        try FileManager.default.createSymbolicLink(atPath: path + "/models/up", withDestinationPath: "..")
        for location in [
            "../outside.data", "sub/../../outside.data", path + "/outside.data", path + "/models/weights.data", "file",
            "absolute", "up/outside.data", "", "/", "..", "sub//weights.data", "sub", "none.data", "/dev/zero",
            "weights.data\u{0}x",
        ] {
            #expect(throws: ModelError.self, "\(location)") { try imported(["location": location]) }
        }
    }

    @Test(arguments: [
        ["offset": "65"], ["offset": "-1"], ["offset": "x"], ["offset": "9223372036854775807", "length": "216"],
        ["offset": "64", "length": "215"], ["offset": "64", "length": "-216"], ["offset": "280"], [:],
    ])
    func refusesARangeOutsideTheFile(_ entries: [String: String]) throws {
        #expect(throws: ModelError.self) {
            try imported(entries.merging(["location": "weights.data"]) { first, _ in first })
        }
        #expect(throws: ModelError.self) { try imported(["offset": "0"]) }
    }
}
