import Inference
import TestSupport
import Testing

@Suite("Caption stepper: who is beside an image changes nothing")
struct StepperDeterminismTests {
    private struct Job {
        var feature: [Float]
        var options: CaptionOptions
    }

    private func jobs(_ model: RandomDecoder, count: Int, using generator: inout SeededGenerator) -> [Job] {
        (0..<count).map { index in
            let beam = Int.random(in: CaptionOptions.beamRange, using: &generator)
            return Job(
                feature: model.feature(UInt64(index)),
                options: CaptionOptions(
                    beam: beam, candidates: Int.random(in: 1...beam, using: &generator),
                    maxWords: Int.random(in: 1...30, using: &generator)))
        }
    }

    @Test(arguments: InstructionSet.available, [1, 2, 3, 8])
    func sameBitsInAnyCompany(instructionSet: InstructionSet, slots: Int) throws {
        var generator = SeededGenerator(UInt64(slots))
        let model = RandomDecoder(seed: 21, feature: 19, embedding: 11, hidden: 37, words: 203, endBias: 2)
        let decoder = try model.make(instructionSet)
        let jobs = jobs(model, count: 40, using: &generator)
        let alone = try jobs.map { try captionsAlone(decoder, $0.feature, $0.options) }

        // One stepper for all rounds: slots are used again and again, images enter while others are at any step.
        let stepper = CaptionStepper(decoder: decoder, slots: slots)
        for _ in 0..<3 {
            var waiting = Array(jobs.indices.shuffled(using: &generator))
            var owner: [Int: Int] = [:]
            var found: [Int: [CaptionCandidate]] = [:]
            while !waiting.isEmpty || !stepper.isEmpty {
                while owner.count < slots, Bool.random(using: &generator), let job = waiting.popLast() {
                    owner[try stepper.admit(feature: jobs[job].feature, options: jobs[job].options)] = job
                }
                stepper.step()
                stepper.takeFinished { slot, result in
                    guard let job = owner.removeValue(forKey: slot) else { return }
                    found[job] = try? result.get()
                }
            }
            for job in jobs.indices { #expect(found[job] == alone[job]) }
        }
    }

    @Test func aFeatureThatIsNotFiniteIsRefusedAndTakesNoSlot() throws {
        let model = RandomDecoder(seed: 2, feature: 5, embedding: 4, hidden: 4, words: 9)
        let stepper = CaptionStepper(decoder: try model.make(), slots: 1)
        for wrong: Float in [.nan, .infinity, -.infinity] {
            var feature = model.feature(1)
            feature[3] = wrong
            let error = #expect(throws: InferenceError.self) {
                try stepper.admit(feature: feature, options: CaptionOptions())
            }
            #expect(error?.code == .internal)
            #expect(stepper.isEmpty)
        }
    }

    @Test(arguments: [
        CaptionOptions(beam: 0), CaptionOptions(beam: 11), CaptionOptions(beam: 3, candidates: 4),
        CaptionOptions(candidates: 0), CaptionOptions(maxWords: 0), CaptionOptions(maxWords: 51),
    ])
    func optionsOutOfRangeAreRefused(options: CaptionOptions) throws {
        let model = RandomDecoder(seed: 2, feature: 5, embedding: 4, hidden: 4, words: 9)
        let stepper = CaptionStepper(decoder: try model.make(), slots: 1)
        let error = #expect(throws: InferenceError.self) {
            try stepper.admit(feature: model.feature(1), options: options)
        }
        #expect(error?.code == .optionOutOfRange)
        #expect(stepper.isEmpty)
    }

    @Test("Weights that give no finite score fail that image only")
    func scoresThatAreNotFinite() throws {
        var model = RandomDecoder(seed: 2, feature: 1, embedding: 3, hidden: 6, words: 9)
        // A large feature overflows the image's embedding, and infinities of both signs meet in the gates.
        model.tensors["image.weight"]?.values = [
            .greatestFiniteMagnitude, .greatestFiniteMagnitude, .greatestFiniteMagnitude,
        ]
        model.tensors["image.bias"]?.values = [0, 0, 0]
        let stepper = CaptionStepper(decoder: try model.make(), slots: 2)
        let good = try stepper.admit(feature: [0.01], options: CaptionOptions(beam: 1))
        let bad = try stepper.admit(feature: [-4], options: CaptionOptions(beam: 1))
        let results = finishAll(stepper)
        #expect(throws: Never.self) { try results[good]?.get() }
        let error = #expect(throws: InferenceError.self) { try results[bad]?.get() }
        #expect(error?.code == .internal)
    }
}
