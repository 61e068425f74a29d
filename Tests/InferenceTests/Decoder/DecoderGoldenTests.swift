import Foundation
import TestSupport
import Testing

@testable import Inference

@Suite("Decoder against PyTorch's captions of real features", .enabled(if: SharedFiles.isPresent))
struct DecoderGoldenTests {
    struct Model: CustomTestStringConvertible, Sendable {
        var name: String
        var featureSize: Int
        var testDescription: String { name }
    }

    static let models = [
        Model(name: "reference", featureSize: 1280), Model(name: "kaption-small", featureSize: 512),
    ]

    private func load(_ model: Model, _ instructionSet: InstructionSet) throws -> CaptionDecoder {
        let folder = SharedFiles.url("models/\(model.name)").path
        let tensors = try Safetensors(MappedFile(path: "\(folder)/decoder.safetensors"))
        let vocabulary = try MappedFile(path: "\(folder)/vocabulary.txt").withBytes { (bytes) throws(ModelError) in
            try Vocabulary(text: bytes)
        }
        return try CaptionDecoder(
            configuration: DecoderConfiguration(
                featureSize: model.featureSize, embeddingSize: 512, hiddenSize: 512),
            weights: tensors.tensor, vocabulary: vocabulary.words, instructionSet: instructionSet)
    }

    @Test("Captions, log-probabilities and scores for beams 1, 3 and 5", arguments: models, InstructionSet.available)
    func captions(model: Model, instructionSet: InstructionSet) throws {
        let golden = try GoldenFile.load(model.name)
        let features = try GoldenFile.features(model.name, size: model.featureSize)
        let decoder = try load(model, instructionSet)
        #expect(golden.images.count == 64 && features.count == 64)
        let stepper = CaptionStepper(decoder: decoder, slots: 8)
        // The plain kernels call a function for each multiplication: a few images are enough for them.
        let images = instructionSet == .plain ? 8 : 64
        var agreeing = 0
        var compared = 0
        for batch in stride(from: 0, to: images, by: 8) {
            for beam in [1, 3, 5] {
                let options = CaptionOptions(beam: beam, candidates: beam)
                let slots = try (batch..<batch + 8).map { image in
                    try stepper.admit(feature: features[image], options: options)
                }
                let results = finishAll(stepper)
                for (image, slot) in zip(batch..<batch + 8, slots) {
                    let expected = golden.images[image].captions(beam: beam)
                    let found = try #require(results[slot]).get()
                    compared += 1
                    if found.map(\.caption) == expected.map(\.caption) { agreeing += 1 }
                    for (one, other) in zip(found, expected) {
                        #expect(abs(Double(one.logProbability) - other.log_probability) < 2e-3)
                        #expect(abs(Double(one.score) - other.score) < 2e-3)
                    }
                }
            }
        }
        print("\(model.name), \(instructionSet): \(agreeing) of \(compared) caption lists agree")
        #expect(agreeing == 3 * images && compared == 3 * images)
    }

    @Test("The first word's five best", arguments: models)
    func firstStep(model: Model) throws {
        let golden = try GoldenFile.load(model.name)
        let features = try GoldenFile.features(model.name, size: model.featureSize)
        let decoder = try load(model, .best)
        for (image, feature) in zip(golden.images, features) {
            // The golden list is over the whole vocabulary, the unknown word included, which a caption never has. After one
            // step the live beams are the best words.
            let expected = image.first_step_top5.filter { $0.word != "<unk>" }
            let found = try captionsAlone(
                decoder, feature, CaptionOptions(beam: 5, candidates: 5, maxWords: 1)
            ).prefix(expected.count)
            #expect(expected.count >= 4)
            #expect(found.map(\.caption) == expected.map(\.word))
            for (one, other) in zip(found, expected) {
                #expect(abs(Double(one.logProbability) - other.logProbability) < 1e-3)
            }
        }
    }
}
