import Foundation

@testable import Inference

/// One bundle's `model.json`; behind a zero byte, its vocabulary.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
    let parts = UnsafeBufferPointer(start: bytes, count: count).split(
        separator: 0, maxSplits: 1, omittingEmptySubsequences: false
    ).map(Array.init)
    do {
        var words = 16
        if parts.count > 1 {
            words = try parts[1].withBytes { (raw) throws(ModelError) in try Vocabulary(text: raw) }.count
        }
        let manifest = try parts[0].withBytes { (raw) throws(ModelError) in
            _ = try BundleDigest.withoutDigest(raw)
            return try ModelBundle.decodeManifest(raw)
        }
        try manifest.validate(words: words)
        _ = try manifest.encoder.validate { shape(ofWeight: $0) }
        _ = try manifest.encoder.featureSize()
        try manifest.encoder.checkLimits()
        guard isSmall(manifest.encoder) else { return 0 }
        run(try Encoder(graph: manifest.encoder) { weight($0) })
    } catch let error as ModelError {
        guard !error.message.isEmpty else { fatalError("an error without a message") }
    } catch {
        fatalError("an error of another kind: \(error)")
    }
    return 0
}

/// The weights lie in another file of a bundle. Here a weight's name is its shape: `4x3x3x3`, and anything behind a blank.
private func shape(ofWeight name: String) -> [Int]? {
    let sizes = name.prefix { $0 != " " }.split(separator: "x").map { Int($0) }
    guard sizes.count <= Safetensors.maximumRank, sizes.allSatisfy({ (0...1 << 12).contains($0 ?? -1) }) else {
        return nil
    }
    let shape = sizes.compactMap(\.self)
    return shape.reduce(1, { min($0 * $1, 1 << 16) }) < 1 << 16 ? shape : nil
}

private func weight(_ name: String) -> WeightTensor {
    guard let shape = shape(ofWeight: name) else { fatalError("a weight that validation did not ask for") }
    return WeightTensor(shape: shape, values: (0..<shape.reduce(1, *)).map { Float($0 % 5) / 4 - 0.5 })
}
