import Inference
import Messaging
import Telemetry

/// What a thread of the pool does: take a micro-batch of images that have been read, caption it with a session of its own,
/// and hand over the answers one by one as they come.
struct CaptionPool: Sendable {
    let captioner: Captioner
    let maximumBatch: Int
    let images: ImageQueue<FetchedJob>
    let ledger: Ledger<Answer>
    let publisher: any Publisher
    let answers: AnswerMaker
    let warmUp: WarmUp
    let hooks: TestHooks

    /// Works until the queue of images is closed.
    func run() {
        let session = captioner.makeSession(maximumBatch: maximumBatch)
        warmUp.run(session)
        while let batch = images.takeBatch(maximum: maximumBatch) {
            let topic = batch[0].job.topic
            let wanted = batch.filter(begin)
            let begun = caption(wanted, of: topic, with: session)
            let others = Array(wanted[begun...])
            ledger.postpone(others.map(\.job.place))
            images.putBack(others, topic: topic)
            let bytes = batch.reduce(0) { $0 + $1.reservedBytes } - others.reduce(0) { $0 + $1.reservedBytes }
            images.release(bytes: bytes, topic: topic)
        }
    }

    /// Whether the image is to be captioned: its assignment stands and its time has not passed.
    private func begin(_ fetched: FetchedJob) -> Bool {
        guard ledger.start(fetched.job.place) else { return false }
        if let failure = fetched.job.expiry(now: Telemetry.Timestamp.now()) {
            publisher.submit(answers.failure(failure, of: fetched.job), at: fetched.job.place)
            return false
        }
        return true
    }

    /// Captions images until a heavier topic has work; how many were begun.
    private func caption(_ batch: [FetchedJob], of topic: Int, with session: CaptionSession) -> Int {
        if batch.isEmpty { return 0 }
        for fetched in batch { hooks.beginCaption(of: fetched.job.request.image) }
        let start = MonotonicTime.now
        return withExtendedLifetime(batch) {
            let inputs = batch.map { CaptionSession.Input(bytes: $0.image.buffer, options: $0.job.options) }
            let shouldStop = { images.shouldYield(topic: topic, begun: $0, of: batch.count) }
            return session.caption(inputs, shouldStop: shouldStop) { index, result in
                let job = batch[index].job
                let queue = start - job.arrival
                let answer =
                    switch result {
                    case .success(let output): answers.caption(output, of: job, queue: queue, batch: batch.count)
                    case .failure(let error):
                        answers.failure(RequestFailure(error), of: job, queue: queue, batch: batch.count)
                    }
                publisher.submit(answer, at: job.place)
            }
        }
    }
}
