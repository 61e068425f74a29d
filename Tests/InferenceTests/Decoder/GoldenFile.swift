import Foundation
import Inference
import TestSupport

/// What PyTorch made of 64 photographs with one of the real models that lie beside the checkout.
struct GoldenFile: Decodable {
    struct Caption: Decodable {
        var caption: String
        var logProbability: Double
        var score: Double
    }

    struct Image: Decodable {
        var image: String
        var beam1: [Caption]
        var beam3: [Caption]
        var beam5: [Caption]
        var firstStepTop5: [WordProbability]

        /// - Parameter beam: 1, 3 or 5.
        func captions(beam: Int) -> [Caption] { beam == 1 ? beam1 : beam == 3 ? beam3 : beam5 }
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
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(GoldenFile.self, from: Data(contentsOf: file))
    }

    /// The features of all images, in the golden file's order.
    static func features(_ model: String, size: Int) throws -> [[Float]] {
        let data = try Data(contentsOf: SharedFiles.url("models/\(model)/features.f32"))
        let floats = data.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        return stride(from: 0, to: floats.count, by: size).map { Array(floats[$0..<$0 + size]) }
    }
}
