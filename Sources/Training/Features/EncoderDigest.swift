import Foundation
import Inference

/// What an encoder's features depend on, in one digest: preprocessing, graph, weights and instruction set, but not the decoder,
/// so that all models of one encoder share their features.
enum EncoderDigest {
    /// 64 hexadecimal digits.
    static func compute(_ bundle: ModelBundle, instructionSet: InstructionSet = .best) throws -> String {
        let coder = JSONEncoder()
        coder.outputFormatting = [.sortedKeys]
        var parts = [
            instructionSet.rawValue, SHA256.hexadecimal(Array(try coder.encode(bundle.manifest.preprocessing))),
            SHA256.hexadecimal(Array(try coder.encode(bundle.manifest.encoder))),
        ]
        for name in bundle.tensors.keys.filter({ $0.hasPrefix("encoder.") }).sorted() {
            let values = try bundle.tensor(name).values
            parts.append("\(name) \(values.withUnsafeBytes { SHA256.hexadecimal($0) })")
        }
        return SHA256.hexadecimal(Array(parts.joined(separator: "\n").utf8))
    }
}
