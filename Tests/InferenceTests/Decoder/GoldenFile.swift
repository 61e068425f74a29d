import Foundation
import Inference
import TestSupport

/// What PyTorch made of 64 photographs with one of the real models that lie beside the checkout.
struct GoldenFile: Decodable {
    struct Caption: Decodable {
        var caption: String
        var log_probability: Double
        var score: Double
    }

    struct Image: Decodable {
        var image: String
        var beam_1: [Caption]
        var beam_3: [Caption]
        var beam_5: [Caption]
        var first_step_top5: [WordProbability]

        /// - Parameter beam: 1, 3 or 5.
        func captions(beam: Int) -> [Caption] { beam == 1 ? beam_1 : beam == 3 ? beam_3 : beam_5 }
    }

    /// `["word", log-probability]`
    struct WordProbability: Decodable {
        var word: String
        var logProbability: Double

        init(from decoder: any Swift.Decoder) throws {
            var values = try decoder.unkeyedContainer()
            word = try values.decode(String.self)
            logProbability = try values.decode(Double.self)
        }
    }

    var images: [Image]

    /// - Parameter model: `reference` or `kaption-small`.
    static func load(_ model: String) throws -> GoldenFile {
        let file = SharedFiles.url("models/\(model)/golden.json")
        return try JSONDecoder().decode(GoldenFile.self, from: Data(contentsOf: file))
    }

    /// The features of all images, in the golden file's order.
    static func features(_ model: String, size: Int) throws -> [[Float]] {
        let data = try Data(contentsOf: SharedFiles.url("models/\(model)/features.f32"))
        let floats = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        return stride(from: 0, to: floats.count, by: size).map { Array(floats[$0..<$0 + size]) }
    }
}
