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
            let wanted = batch.filter(begin)
            let trusted = wanted.filter { !$0.job.runsAlone }
            if !trusted.isEmpty { gate.together { caption(trusted, with: session, at: post) } }
            for suspect in wanted where suspect.job.runsAlone {
                gate.alone { caption([suspect], with: session, at: post) }
            }
            images.release(bytes: batch.reduce(0) { $0 + $1.reservedBytes })
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

    private func caption(_ batch: [FetchedJob], with session: CaptionSession, at post: PoolWatch.Post) {
        let start = MonotonicTime.now
        post.begin(batch.map(\.job.message))
        withExtendedLifetime(batch) {
            let inputs = batch.map { CaptionSession.Input(bytes: $0.image.buffer, options: $0.job.options) }
            session.caption(inputs) { stage in
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
        post.end()
    }
}
