import Testing

@testable import Training

@Suite("Schedules and groups")
struct OptimisationTests {
    /// torch.optim.lr_scheduler.OneCycleLR(max_lr=1, total_steps=10, pct_start=0.3), printed by PyTorch 2.13.
    @Test func oneCycleIsPyTorchs() {
        let schedule = OneCycle(peak: 1, steps: 10, warmUp: 0.3)
        let expected = [
            0.04, 0.52, 1.0, 0.950484632, 0.811745654, 0.611262022, 0.388741978, 0.188258346, 0.049519368, 4e-06,
        ]
        for (step, rate) in expected.enumerated() { #expect(abs(schedule.rate(at: step) - rate) < 1e-6) }
    }

    @Test func shortSchedules() {
        for steps in 1...4 {
            for step in 0..<steps {
                let rate = OneCycle(peak: 0.1, steps: steps).rate(at: step)
                #expect(rate > 0 && rate <= 0.1)
            }
        }
    }

    @Test func groupsHoldEveryCaptionOnceAndAreOfOneLength() {
        var random = RandomStream(seed: 1, .words)
        let lengths = (0..<1003).map { _ in Int.random(in: 1...12, using: &random) }
        let groups = LengthGroups(lengths: lengths, batch: 16, seed: 3, epoch: 2)
        #expect(groups.batches.joined().sorted() == Array(0..<1003))
        let mixed = groups.batches.count { Set($0.map { lengths[$0] }).count > 1 }
        #expect(mixed <= 11, "only where one length ends and the next begins")
        #expect(groups.batches == LengthGroups(lengths: lengths, batch: 16, seed: 3, epoch: 2).batches)
        #expect(groups.batches != LengthGroups(lengths: lengths, batch: 16, seed: 3, epoch: 3).batches)
        #expect(groups.batches != LengthGroups(lengths: lengths, batch: 16, seed: 4, epoch: 2).batches)
    }

    @Test func clippingAndFrozenEmbedding() {
        let model = TinyModel()
        let (_, gradients) = model.pass()
        let before = values(model.weights, .embedding)
        let adam = Adam(shape: model.shape)
        let norm = adam.update(model.weights, gradients: gradients, rate: 0.1, largestNorm: 1, frozenEmbedding: true)
        let all = DecoderTensor.allCases.filter { $0 != .embedding }.flatMap { values(gradients, $0) }
        let expected = all.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(norm - expected) < 1e-6 * expected)
        #expect(values(model.weights, .embedding) == before)
        gradients[.outputBias][0] = .nan
        let weights = values(model.weights, .outputBias)
        #expect(!adam.update(model.weights, gradients: gradients, rate: 0.1, largestNorm: 1).isFinite)
        #expect(values(model.weights, .outputBias) == weights, "nothing is moved by what is not finite")
    }
}
