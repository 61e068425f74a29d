import Inference
import Messaging
import Telemetry

/// What a thread of the pool does: take a micro-batch of images that have been read, caption it with a session of its own,
/// and hand over the answers one by one as they come. A suspect of the crash journal is captioned with nothing beside it.
struct CaptionPool: Sendable {
    let captioner: Captioner
    let maximumBatch: Int
    let limits: ImageLimits
    let images: ImageQueue<FetchedJob>
    let ledger: Ledger<Answer>
    let desk: AnswerDesk
    let answers: AnswerMaker
    let warmUp: WarmUp
    let watch: PoolWatch
    let gate = PoolGate()
    let hooks: TestHooks

    /// Works until the queue of images is closed.
    func run() {
        let session = captioner.makeSession(maximumBatch: maximumBatch, limits: limits)
        let post = watch.takePost()
        warmUp.run(session)
        while let batch = images.takeBatch(maximum: maximumBatch) {
            let topic = batch[0].job.topic
            let wanted = batch.filter(begin)
            let trusted = wanted.filter { !$0.job.runsAlone }
            let begun = gate.together { caption(trusted, of: topic, with: session, at: post) }
            for suspect in wanted where suspect.job.runsAlone {
                _ = gate.alone { caption([suspect], of: topic, with: session, at: post) }
            }
            let others = Array(trusted[begun...])
            ledger.postpone(others.map(\.job.place))
            images.putBack(others, topic: topic)
            let bytes = batch.reduce(0) { $0 + $1.reservedBytes } - others.reduce(0) { $0 + $1.reservedBytes }
            images.release(images: batch.count - others.count, bytes: bytes, topic: topic)
        }
    }

    /// Whether the image is to be captioned: its assignment stands and its time has not passed.
    private func begin(_ fetched: FetchedJob) -> Bool {
        guard ledger.start(fetched.job.place) else { return false }
        if let failure = fetched.job.expiry(now: Telemetry.Timestamp.now()) {
            desk.submit(answers.failure(failure, of: fetched.job), of: fetched.job)
            return false
        }
        return true
    }

    /// Captions images until a heavier topic has work; how many were begun.
    private func caption(
        _ batch: [FetchedJob], of topic: Int, with session: CaptionSession, at post: PoolWatch.Post
    ) -> Int {
        if batch.isEmpty { return 0 }
        let start = MonotonicTime.now
        post.begin(batch.map(\.job.message))
        defer { post.end() }
        return withExtendedLifetime(batch) {
            let inputs = batch.map { CaptionSession.Input(bytes: $0.image.buffer, options: $0.job.options) }
            let shouldStop = { images.shouldYield(topic: topic, begun: $0, of: batch.count) }
            return session.caption(inputs, shouldStop: shouldStop) { stage in
                switch stage {
                case .image(let index):
                    post.enter(index)
                    hooks.beginCaption(of: batch[index].job.request.image)
                case .together: post.enter(nil)
                }
            } deliver: { index, result in
                let job = batch[index].job
                let queue = start - job.arrival
                let answer =
                    switch result {
                    case .success(let output): answers.caption(output, of: job, queue: queue, batch: batch.count)
                    case .failure(let error):
                        answers.failure(RequestFailure(error), of: job, queue: queue, batch: batch.count)
                    }
                desk.submit(answer, of: job)
                post.answered(index)
            }
        }
    }
}
