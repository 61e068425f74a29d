import Inference
import Messaging

/// Stands in for I/O threads and pool where the plumbing alone is measured (test hook `null-model`): every request gets the
/// same caption at once, and nothing is read.
struct NullModel: Sendable {
    private static let output = CaptionSession.Output(
        candidates: [
            CaptionCandidate(
                caption: "a dog runs through the snow with a stick in its mouth", logProbability: -9.125, score: -0.75)
        ],
        decodeMilliseconds: 0, encodeMilliseconds: 0, captionMilliseconds: 0)

    let requests: TimedQueue<Job>
    let ledger: Ledger<Answer>
    let publisher: any Publisher
    let answers: AnswerMaker
    let warmUp: WarmUp

    /// Works until the queue of requests is closed.
    func run() {
        warmUp.skip()
        while let jobs = requests.take(maximum: 64) {
            let now = MonotonicTime.now
            let begun = jobs.filter { ledger.start($0.place) }
            for job in begun {
                publisher.submit(
                    answers.caption(Self.output, of: job, queue: now - job.arrival, batch: jobs.count), at: job.place)
            }
        }
    }
}
