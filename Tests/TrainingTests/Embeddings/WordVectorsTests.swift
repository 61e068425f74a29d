import Foundation
import TestSupport
import Testing

@testable import Training

@Suite("Word vectors")
struct WordVectorsTests {
    private func read(_ data: Data, words: Set<String> = ["dog", "cat"]) throws -> WordVectors {
        let folder = try TemporaryDirectory()
        return try WordVectors(path: folder.write("vectors.txt", data).path, words: words)
    }

    @Test func readsTheWordsWanted() throws {
        let vectors = try read(Data("the 1 2 3\ndog 0.5 -1e-1 2\r\nbird x y z\n. . cat 1 2 3\ncat 7 8 9".utf8))
        #expect(vectors.size == 3)
        #expect(vectors.vectors == ["dog": [0.5, -0.1, 2], "cat": [7, 8, 9]])
        let withHeader = try read(Data("2 2\ndog 1 2\ncat 3 4\n".utf8))
        #expect(withHeader.size == 2 && withHeader.vectors.count == 2)
    }

    /// Longer than one chunk, so that lines are cut at chunks' borders.
    @Test func readsAcrossChunks() throws {
        var text = ""
        for number in 0..<60_000 { text += "w\(number) \(number).5 -\(number)\n" }
        let vectors = try read(Data(text.utf8), words: Set((0..<60_000).map { "w\($0)" }))
        #expect(vectors.vectors.count == 60_000)
        #expect(vectors.vectors["w31337"] == [31337.5, -31337])
    }

    @Test(
        "Hostile files",
        arguments: [
            ("", "no word vectors"), ("dog\n", "line 1"), ("the 1 2\ndog 1\n", "line 2: 'dog' does not have 2"),
            ("dog 1 nan\n", "finite"), ("dog 1 inf\n", "finite"), ("the 1 2\ndog 1 x\n", "line 2"),
            ("dog " + String(repeating: "1 ", count: 5000), "line 1"),
        ])
    func hostile(text: String, reason: String) {
        let error = #expect(throws: TrainingError.self) { try read(Data(text.utf8)) }
        #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
    }

    @Test func binaryAndEndlessLines() {
        for data in [Data([0xFF, 0xFE, 0x0A]), Data(repeating: 0x20, count: 4 << 20)] {
            #expect(throws: TrainingError.self) { try read(data) }
        }
        #expect(throws: TrainingError.self) { try WordVectors(path: "/nowhere/at.all", words: []) }
    }

    @Test func initialisesTheEmbedding() throws {
        var random = RandomStream(seed: 5, .embeddings)
        let names = (0..<400).map { "w\($0)" }
        let text = names.map { name in
            "\(name) " + (0..<8).map { "\(Float($0) + 0.3 * random.normal())" }.joined(separator: " ") + "\n"
        }.joined()
        let counts = Dictionary(uniqueKeysWithValues: (names + (0..<400).map { "missing\($0)" }).map { ($0, 5) })
        let words = WordTable(counts: counts, minimumCount: 1)
        let vectors = try read(Data(text.utf8), words: Set(words.words))
        let same = DecoderParameters(shape: .init(feature: 3, embedding: 8, hidden: 2, words: words.count))
        let report = EmbeddingInitialisation(vectors, words: words, into: same, seed: 1)
        #expect(report.found == 400 && report.words == 800 && report.line.contains("400 of 800"))
        let place = try #require(words.words.firstIndex(of: "w7"))
        #expect(Array(UnsafeBufferPointer(start: same[.embedding] + place * 8, count: 8)) == vectors.vectors["w7"])
        // Words without a vector: the same mean and deviation in each dimension.
        let missing = words.words.indices.filter { words.words[$0].hasPrefix("missing") }
        for dimension in 0..<8 {
            let drawn = missing.map { Double(same[.embedding][$0 * 8 + dimension]) }
            let mean = drawn.reduce(0, +) / 400
            let deviation = (drawn.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 400).squareRoot()
            #expect(abs(mean - Double(dimension)) < 0.08 && abs(deviation - 0.3) < 0.05)
        }
        // Projected: lengths are kept, up to the change of size.
        let wide = DecoderParameters(shape: .init(feature: 3, embedding: 512, hidden: 2, words: words.count))
        let projected = EmbeddingInitialisation(vectors, words: words, into: wide, seed: 1)
        #expect(projected.line.contains("projected from 8 to 512"))
        let row = UnsafeBufferPointer(start: wide[.embedding] + place * 512, count: 512)
        let squares = row.reduce(0) { $0 + Double($1) * Double($1) } / 512
        let original = (vectors.vectors["w7"] ?? []).reduce(0) { $0 + Double($1) * Double($1) } / 8
        #expect(abs(squares / original - 1) < 0.3)
    }
}
