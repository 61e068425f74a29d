import Foundation
import TestSupport

/// What pycocoevalcap, sacrebleu and NLTK made of captions: Tests/Tools/make_metrics_golden.py.
struct GoldenMetrics: Decodable {
    struct Sentence: Decodable {
        var text: String
        var tokens: String
    }

    struct Image: Decodable {
        var caption: String
        var captions: [String]
        var tokens: String
        var referenceTokens: [String]
    }

    struct ImageScores: Decodable {
        var bleu: [Double]
        var rougeL: Double
        var ciderD: Double
    }

    struct Scores: Decodable {
        var bleu: [Double]
        var rougeL: Double
        var ciderD: Double
        var images: [ImageScores]
    }

    struct SacreBLEU: Decodable {
        var score: Double
        var brevityPenalty: Double
        var ratio: Double
    }

    struct Others: Decodable {
        var sacrebleu: [SacreBLEU]
        var nltk: [Double]
    }

    /// Flickr8k's first caption of each dev image against its four others; the captions themselves are not here.
    struct Flickr: Decodable {
        var captions: Int
        var tokens: Int
        var tokensDigest: String
        var bleu: [Double]
        var rougeL: Double
        var ciderD: Double
        var firstImages: [ImageScores]
    }

    var sentences: [Sentence]
    var captions: [Image]
    var scores: Scores
    var others: Others
    var flickr8k: Flickr

    static func load() throws -> GoldenMetrics {
        let file = SharedFiles.packageRoot.appendingPathComponent("Tests/Tools/metrics_golden.json")
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Self.self, from: Data(contentsOf: file))
    }
}

/// Words as pycocoevalcap joins them.
func split(_ tokens: String) -> [String] { tokens.split(separator: " ").map(String.init) }

extension Double {
    func isNear(_ other: Double, within tolerance: Double = 1e-6) -> Bool { abs(self - other) <= tolerance }
}
