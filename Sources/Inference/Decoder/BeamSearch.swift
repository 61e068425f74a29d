import Kernels

/// One image's beam search: what is alive, what has ended, and the way each came. No numbers of the model are here.
///
/// Every step keeps the best B continuations over all live beams, however many have ended before. Those that end move to the
/// finished list; the search stops when B or more are there, none is live, or the limit of steps is reached.
/// After `init` nothing is allocated until `candidates`.
final class BeamSearch {
    /// A caption that goes on.
    struct Live {
        var logProbability: Float
        /// The word to read next.
        var word: Int
        /// Which of the previous step's live beams it continues.
        var parent: Int
    }

    private struct Finished {
        var logProbability: Float
        /// Steps taken, the end's among them.
        var steps: Int
        /// The live beam, of the step before, that ended.
        var parent: Int
    }

    private struct Origin {
        var word = 0
        var parent = 0
    }

    enum State: Equatable {
        /// No image.
        case free
        case running
        case done
        case failed(InferenceError)
    }

    private(set) var state = State.free
    private(set) var options = CaptionOptions()
    private(set) var live: [Live] = []
    private var steps = 0
    private var finished: [Finished] = []
    /// How the live beam `b` of step `s` came about: `origins[(s − 1)·beams + b]`.
    private var origins: [Origin]

    init() {
        let beams = CaptionOptions.beamRange.upperBound
        live.reserveCapacity(beams)
        finished.reserveCapacity(2 * beams)
        origins = Array(repeating: Origin(), count: CaptionOptions.maxWordsRange.upperBound * beams)
    }

    /// - Parameter options: valid ones.
    func begin(options: CaptionOptions, start: Int) {
        self.options = options
        steps = 0
        state = .running
        finished.removeAll(keepingCapacity: true)
        live.removeAll(keepingCapacity: true)
        live.append(Live(logProbability: 0, word: start, parent: 0))
    }

    /// Takes one step's best continuations, best first, at most `options.beam` of them.
    func advance(with best: UnsafeBufferPointer<kaption_continuation>, end: Int) {
        live.removeAll(keepingCapacity: true)
        for continuation in best {
            let (word, parent) = (Int(continuation.word), Int(continuation.beam))
            if word == end {
                finished.append(
                    Finished(logProbability: continuation.log_probability, steps: steps + 1, parent: parent))
            } else {
                origins[steps * CaptionOptions.beamRange.upperBound + live.count] = Origin(word: word, parent: parent)
                live.append(Live(logProbability: continuation.log_probability, word: word, parent: parent))
            }
        }
        steps += 1
        if finished.count >= options.beam || live.isEmpty || steps >= options.maxWords { state = .done }
    }

    func fail(_ error: InferenceError) { state = .failed(error) }

    func release() { state = .free }

    /// The best captions by score, `options.candidates` at most: finished ones, or where none finished the live ones. Equal scores stay
    /// in the order in which the search came upon them.
    ///
    /// - Parameter divisors: what a log-probability is divided by after so many steps.
    func candidates(vocabulary: [String], divisors: [Float]) -> [CaptionCandidate] {
        let ended =
            finished.isEmpty
            ? live.indices.map { (live[$0].logProbability, steps, path(to: $0, after: steps)) }
            : finished.map { ($0.logProbability, $0.steps, path(to: $0.parent, after: $0.steps - 1)) }
        let scored = ended.map { logProbability, steps, words in
            CaptionCandidate(
                caption: words.map { vocabulary[$0] }.joined(separator: " "), logProbability: logProbability,
                score: logProbability / divisors[steps])
        }
        let order = scored.indices.sorted {
            scored[$0].score != scored[$1].score ? scored[$0].score > scored[$1].score : $0 < $1
        }
        return order.prefix(options.candidates).map { scored[$0] }
    }

    /// The words of the live beam `beam` after `steps` steps.
    private func path(to beam: Int, after steps: Int) -> [Int] {
        var words: [Int] = []
        var beam = beam
        for step in stride(from: steps - 1, through: 0, by: -1) {
            let origin = origins[step * CaptionOptions.beamRange.upperBound + beam]
            words.append(origin.word)
            beam = origin.parent
        }
        return words.reversed()
    }
}
