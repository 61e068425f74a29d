import Testing

@testable import Training

@Suite("Words of a corpus")
struct TrainingCorpusTests {
    private let train = CaptionSplit(
        images: ["a", "b"],
        captions: [["A dog's ball !", "Two dogs , 2 balls .", "..."], ["The dog the dog the dog the", "# & dog"]])

    @Test func cleaning() {
        let cleaning = CaptionCleaning(maximumWords: 6)
        #expect(cleaning.words(of: "A dog's T-shirt # is 2 big!") == ["a", "dog", "'s", "t-shirt", "is", "2", "big"])
        #expect(cleaning.trainingWords(of: " . ") == .failure(.empty))
        #expect(cleaning.trainingWords(of: "a b c d e f g") == .failure(.long))
        #expect(cleaning.trainingWords(of: "A B") == .success(["a", "b"]))
    }

    @Test func summary() {
        let cleaning = CaptionCleaning(maximumWords: 6)
        let counts = TrainingCorpus.wordCounts(train, cleaning: cleaning)
        #expect(counts["dog"] == 2 && counts["the"] == nil, "captions left out do not count")
        let words = WordTable(counts: counts, minimumCount: 2)
        #expect(words.words == ["<pad>", "<start>", "<end>", "<unk>", "dog"])
        let corpus = TrainingCorpus(
            train: train, development: CaptionSplit(images: ["c"], captions: [["dog and cat"]]), words: words,
            cleaning: cleaning)
        #expect(corpus.captions.map(\.words) == [[3, 4, 3, 3], [3, 3, 3, 3], [4]])
        #expect(corpus.captions.map(\.image) == [0, 0, 1])
        #expect(corpus.references[1] == [["dog"]])
        #expect(corpus.summary.dropped == ["without a word": 1, "too long": 1])
        #expect(corpus.summary.words == 9 && corpus.summary.longest == 4)
        #expect(abs(corpus.summary.coverage - 2.0 / 9) < 1e-12)
        #expect(abs(corpus.summary.developmentCoverage - 1.0 / 3) < 1e-12)
        #expect(corpus.summary.lines.contains { $0.contains("dropped") && $0.contains("1 too long") })
    }

    @Test func vocabularyOrderAndExtension() {
        var words = WordTable(counts: ["b": 3, "a": 3, "c": 5, "d": 1], minimumCount: 2)
        #expect(words.words.dropFirst(4) == ["c", "a", "b"])
        #expect(words.extend(counts: ["a": 9, "z": 4, "y": 4, "q": 1], minimumCount: 2) == 2)
        #expect(words.words.dropFirst(4) == ["c", "a", "b", "y", "z"])
        #expect(words.encode(["z", "c", "nothing"]) == [8, 4, 3])
    }
}
