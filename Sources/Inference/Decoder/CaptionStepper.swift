import Foundation
import Kernels

/// Decodes several images step by step in slots, one thread's worth. All slots' beams go through the products together;
/// images enter and leave between steps, each with its own options. The bits of a caption do not depend on who else is there.
///
/// Memory is allocated when it is made; steps allocate nothing, results do.
public final class CaptionStepper {
    /// How many images can be under way.
    public let slots: Int

    private let decoder: CaptionDecoder
    private let scratch: DecoderScratch
    private let searches: [BeamSearch]
    /// Where each slot's live beams of the last step have their states: the first one's row.
    private var firstRows: [Int]
    /// Admitted since the last step.
    private var admitted: [Int] = []
    /// What a log-probability is divided by after so many steps.
    private let divisors: [Float]
    private let best: UnsafeMutablePointer<kaption_continuation>

    public init(decoder: CaptionDecoder, slots: Int) {
        precondition(slots >= 1, "a stepper needs at least one slot")
        self.decoder = decoder
        self.slots = slots
        scratch = DecoderScratch(decoder: decoder, slots: slots)
        searches = (0..<slots).map { _ in BeamSearch() }
        firstRows = Array(repeating: 0, count: slots)
        admitted.reserveCapacity(slots)
        let exponent = decoder.configuration.lengthExponent
        divisors = (0...CaptionOptions.maxWordsRange.upperBound).map { Float(pow(Double($0), exponent)) }
        best = .allocate(capacity: CaptionOptions.beamRange.upperBound)
        best.initialize(repeating: .init(), count: CaptionOptions.beamRange.upperBound)
    }

    deinit { best.deallocate() }

    /// Whether there is no image under way, nor one finished and not yet taken.
    public var isEmpty: Bool { searches.allSatisfy { $0.state == .free } }

    /// Puts an image in a free slot; the next `step` reads it.
    ///
    /// - Parameter feature: `featureSize` floats, copied.
    /// - Returns: the slot.
    /// - Throws: `option_out_of_range`, or `internal` where the feature is not finite. No slot is taken then.
    /// - Precondition: a slot is free.
    public func admit(feature: UnsafePointer<Float>, options: CaptionOptions) throws(InferenceError) -> Int {
        try options.validate()
        let values = UnsafeBufferPointer(start: feature, count: decoder.configuration.featureSize)
        guard values.allSatisfy(\.isFinite) else {
            throw InferenceError(.internal, "the image's feature is not finite")
        }
        guard let slot = searches.firstIndex(where: { $0.state == .free }) else {
            preconditionFailure("no slot is free")
        }
        scratch.setFeature(values, row: admitted.count)
        admitted.append(slot)
        searches[slot].begin(options: options, start: decoder.configuration.tokens.start)
        return slot
    }

    /// Moves every image under way on by one word. Those just admitted are read first.
    public func step() {
        scratch.readImages(count: admitted.count)
        for (row, slot) in admitted.enumerated() { firstRows[slot] = scratch.imageRow(row) }
        admitted.removeAll(keepingCapacity: true)

        var rows = 0
        for slot in 0..<slots where searches[slot].state == .running {
            let first = rows
            for beam in searches[slot].live {
                scratch.gather(
                    row: rows, from: firstRows[slot] + beam.parent, word: beam.word,
                    best: searches[slot].options.beam)
                rows += 1
            }
            firstRows[slot] = first
        }
        scratch.computeWords(rows: rows)
        for slot in 0..<slots where searches[slot].state == .running { advance(slot) }
    }

    /// Hands over each image that is done or has failed, and frees its slot.
    public func takeFinished(_ body: (_ slot: Int, Result<[CaptionCandidate], InferenceError>) -> Void) {
        for (slot, search) in searches.enumerated() {
            switch search.state {
            case .free, .running: continue
            case .done:
                search.release()
                body(slot, .success(search.candidates(vocabulary: decoder.vocabulary, divisors: divisors)))
            case .failed(let error):
                search.release()
                body(slot, .failure(error))
            }
        }
    }

    private func advance(_ slot: Int) {
        let search = searches[slot]
        var kept = 0
        for (beam, live) in search.live.enumerated() {
            let offered = scratch.offerWords(
                row: firstRows[slot] + beam, beam: beam, logProbability: live.logProbability, to: best,
                capacity: search.options.beam, kept: kept)
            guard let offered else {
                return search.fail(InferenceError(.internal, "the decoder's scores are not finite"))
            }
            kept = offered
        }
        guard kept > 0 else {
            return search.fail(InferenceError(.internal, "no word has a finite log-probability"))
        }
        search.advance(with: UnsafeBufferPointer(start: best, count: kept), end: decoder.configuration.tokens.end)
    }
}
