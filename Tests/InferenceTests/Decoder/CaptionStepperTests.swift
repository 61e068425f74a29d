import Inference
import Testing

@Suite("Caption stepper against the plain reference")
struct CaptionStepperTests {
    struct Shape: CustomTestStringConvertible, Sendable {
        var feature: Int, embedding: Int, hidden: Int, words: Int
        var testDescription: String { "\(feature)→\(embedding), \(hidden) units, \(words) words" }
    }

    static let shapes = [
        Shape(feature: 7, embedding: 5, hidden: 9, words: 11),
        Shape(feature: 16, embedding: 16, hidden: 16, words: 32),
        Shape(feature: 33, embedding: 12, hidden: 21, words: 67),
        Shape(feature: 1, embedding: 1, hidden: 1, words: 5),
        Shape(feature: 20, embedding: 40, hidden: 35, words: 150),
    ]

    /// Compares and says whether the margin was wide enough for single precision to decide alike.
    private func compare(
        _ model: RandomDecoder, _ decoder: CaptionDecoder, _ feature: [Float], _ options: CaptionOptions
    )
        throws -> Bool
    {
        let expected = ReferenceDecoder(model).captions(feature, options)
        guard expected.margin > 2e-5 else { return false }
        let found = try captionsAlone(decoder, feature, options)
        #expect(found.map(\.caption) == expected.candidates.map(\.caption))
        for (one, other) in zip(found, expected.candidates) {
            #expect(abs(Double(one.logProbability) - other.logProbability) < 1e-4)
            #expect(abs(Double(one.score) - other.score) < 1e-4)
        }
        return true
    }

    @Test(arguments: InstructionSet.available, shapes)
    func agreesForEveryBeam(instructionSet: InstructionSet, shape: Shape) throws {
        var compared = 0
        var tried = 0
        // The end's bias makes searches in which nothing ends, some do, and all end at once.
        for endBias: Float in [-60, -3, 0, 3, 8] {
            let model = RandomDecoder(
                seed: UInt64(shape.words) &+ UInt64(endBias.bitPattern), feature: shape.feature,
                embedding: shape.embedding, hidden: shape.hidden, words: shape.words, endBias: endBias)
            let decoder = try model.make(instructionSet)
            for beam in CaptionOptions.beamRange {
                for maxWords in [1, 2, 7, 20] {
                    let options = CaptionOptions(beam: beam, candidates: beam, maxWords: maxWords)
                    tried += 1
                    if try compare(model, decoder, model.feature(UInt64(tried)), options) { compared += 1 }
                }
            }
        }
        #expect(compared * 100 >= tried * 90, "\(compared) of \(tried) had a margin wide enough to compare")
    }

    @Test(arguments: [0, 0.5, 0.7, 1, 2])
    func dividesByLengthToTheExponent(exponent: Double) throws {
        let model = RandomDecoder(
            seed: 5, feature: 12, embedding: 10, hidden: 18, words: 40, lengthExponent: exponent, endBias: 2)
        let decoder = try model.make()
        var compared = 0
        for seed in 0..<20 as Range<UInt64> {
            let options = CaptionOptions(beam: 5, candidates: 5, maxWords: 12)
            if try compare(model, decoder, model.feature(seed), options) { compared += 1 }
        }
        #expect(compared >= 15)
    }

    @Test("Words that tie exactly: the lower beam first, then the lower id", arguments: InstructionSet.available)
    func breaksTies(instructionSet: InstructionSet) throws {
        var model = RandomDecoder(seed: 9, feature: 6, embedding: 8, hidden: 13, words: 30, endBias: 1)
        for word in stride(from: 5, to: 28, by: 2) { model.duplicate(word, as: word + 1) }
        let decoder = try model.make(instructionSet)
        var compared = 0
        for seed in 0..<20 as Range<UInt64> {
            for beam in [1, 2, 3, 5, 8, 10] {
                let options = CaptionOptions(beam: beam, candidates: beam, maxWords: 6)
                if try compare(model, decoder, model.feature(seed), options) { compared += 1 }
            }
        }
        #expect(compared >= 100)
    }

    @Test func emptyCaptionWhereTheEndComesAtOnce() throws {
        let model = RandomDecoder(seed: 3, feature: 4, embedding: 4, hidden: 4, words: 8, endBias: 80)
        let options = CaptionOptions(beam: 1, candidates: 1, maxWords: 20)
        let found = try captionsAlone(try model.make(), model.feature(0), options)
        #expect(found.map(\.caption) == [""])
        #expect(found[0].score == found[0].logProbability)
    }

    @Test("Finished and live ones never mix: with few words there may be fewer candidates than beams")
    func givesFewerThanAsked() throws {
        let model = RandomDecoder(seed: 3, feature: 4, embedding: 4, hidden: 4, words: 6, endBias: 80)
        let options = CaptionOptions(beam: 5, candidates: 5, maxWords: 2)
        let found = try captionsAlone(try model.make(), model.feature(0), options)
        #expect(found.count == 3)
        #expect(found[0].caption == "")
    }
}
