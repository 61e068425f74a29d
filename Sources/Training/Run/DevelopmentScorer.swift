import Evaluation
import Foundation
import Inference
import Synchronization

/// Captions the development images with the decoder that the worker uses, and scores them over a grid of beams and α.
public final class DevelopmentScorer: Sendable {
    /// Captions that end in one of these stop in mid-phrase.
    static let danglingWords: Set<String> = [
        "a", "an", "the", "of", "in", "on", "at", "to", "with", "by", "from", "for", "into", "onto", "over", "under",
        "through",
        "near", "behind", "beside", "between", "across", "along", "around", "against", "above", "below", "down", "up",
        "off", "out", "toward", "towards", "while", "and", "his", "her", "its", "their",
    ]
    public static let alphas = [0, 0.5, 0.7, 1.0]
    public static let beams = [1, 3, 5]

    private let features: FeatureTable
    private let references: [[[String]]]
    private let threads: Int

    /// - Parameter captions: of each image, as they were written.
    public init(features: FeatureTable, captions: [[String]], threads: Int) {
        self.features = features
        references = captions.map { $0.map(CaptionTokenizer.words) }
        self.threads = threads
    }

    public var images: Int { references.count }

    /// The best setting of the grid by a measure.
    public func best(
        of decoder: CaptionDecoder, by metric: Metric, maximumWords: Int, beams: [Int] = beams,
        alphas: [Double] = alphas
    ) throws -> DevelopmentScore? {
        guard images > 0 else { return nil }
        var best: DevelopmentScore?
        for beam in beams {
            let candidates = try captions(of: decoder, beam: beam, maximumWords: maximumWords)
            for alpha in alphas {
                let score = score(candidates, beam: beam, alpha: alpha)
                if best.map({ score[metric] > $0[metric] }) ?? true { best = score }
                if beam == 1 { break }
            }
        }
        return best
    }

    /// The words of each image's best caption by log-probability ÷ words^α.
    private func score(_ candidates: [[CaptionCandidate]], beam: Int, alpha: Double) -> DevelopmentScore {
        let chosen = candidates.map { ofImage -> [String] in
            let best = ofImage.max { first, second in
                Self.score(first, alpha: alpha) < Self.score(second, alpha: alpha)
            }
            return CaptionTokenizer.words(of: best?.caption ?? "")
        }
        let values = CorpusScores(
            scoring: zip(chosen, references).map { CaptionedImage(hypothesis: $0, references: $1) }
        ).values
        let dangling = chosen.count { $0.last.map(Self.danglingWords.contains) ?? true }
        return DevelopmentScore(
            beam: beam, alpha: alpha,
            scores: Dictionary(uniqueKeysWithValues: values.map { ($0.key.rawValue, $0.value) }),
            dangling: Double(dangling) / Double(max(chosen.count, 1)))
    }

    /// With an exponent of 1 the decoder divides by the words that count, so the quotient gives them back.
    private static func score(_ candidate: CaptionCandidate, alpha: Double) -> Double {
        let words = (Double(candidate.logProbability) / Double(candidate.score)).rounded()
        return Double(candidate.logProbability) / pow(max(words, 1), alpha)
    }

    /// All candidates of each image's search.
    private func captions(of decoder: CaptionDecoder, beam: Int, maximumWords: Int) throws -> [[CaptionCandidate]] {
        precondition(decoder.configuration.lengthExponent == 1, "the search's own exponent is 1")
        let options = CaptionOptions(beam: beam, candidates: beam, maxWords: maximumWords)
        let work = Work(images: images, threads: max(1, min(threads, images)))
        for _ in 0..<work.threads - 1 { Thread { self.caption(decoder, options, work) }.start() }
        caption(decoder, options, work)
        while work.state.withLock({ $0.running }) > 0 { work.ended.wait(timeout: 1) }
        return try work.state.withLock { state in
            if let failure = state.failure { throw failure }
            return state.results
        }
    }

    /// What the threads of one search share.
    private final class Work: Sendable {
        struct State {
            var next = 0
            var results: [[CaptionCandidate]]
            var failure: InferenceError?
            var running: Int
        }

        let threads: Int
        let state: Mutex<State>
        let ended = Doorbell()

        init(images: Int, threads: Int) {
            self.threads = threads
            state = Mutex(State(results: Array(repeating: [], count: images), running: threads))
        }

        func take() -> Int? {
            state.withLock { state in
                guard state.next < state.results.count, state.failure == nil else { return nil }
                state.next += 1
                return state.next - 1
            }
        }
    }

    private func caption(_ decoder: CaptionDecoder, _ options: CaptionOptions, _ work: Work) {
        let slots = 8
        let stepper = CaptionStepper(decoder: decoder, slots: slots)
        var underWay = [Int](repeating: 0, count: slots)
        var busy = 0
        while true {
            while busy < slots, let image = work.take() {
                do throws(InferenceError) {
                    underWay[try stepper.admit(feature: features.row(image), options: options)] = image
                    busy += 1
                } catch {
                    work.state.withLock { $0.failure = error }
                }
            }
            if busy == 0 { break }
            stepper.step()
            stepper.takeFinished { slot, result in
                busy -= 1
                work.state.withLock { state in
                    switch result {
                    case .success(let candidates): state.results[underWay[slot]] = candidates
                    case .failure(let error): state.failure = error
                    }
                }
            }
        }
        work.state.withLock { $0.running -= 1 }
        work.ended.ring()
    }
}
