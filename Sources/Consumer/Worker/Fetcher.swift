import Inference
import Messaging
import Telemetry

/// What the I/O threads do: open and read images, within the limits on their number and bytes, and hand them to the pool. What has to wait, for a
/// further attempt or for the storage, is put back for later and holds no thread.
///
/// A transient failure becomes an answer in three steps, so that nothing is answered for a storage that is away: when the retry
/// budget is used up, the storage is looked for at its path; from what is there, one more attempt is made; and the storage
/// must still be there afterwards.
struct Fetcher: Sendable {
    let storage: Storage
    let supervisor: ReadSupervisor
    let requests: TimedQueue<Job>
    let images: ImageQueue<FetchedJob>
    let ledger: Ledger<Answer>
    let desk: AnswerDesk
    let answers: AnswerMaker
    let retries: RetrySchedule
    let maximumImageBytes: Int
    let counters: Counters
    let hooks: TestHooks
    let logger: Logger

    /// Works until the queue of requests is closed, or until this thread was replaced because it hung.
    func run() {
        while let job = requests.take(of: { images.hasPlace(topic: $0) }) {
            guard ledger.isWanted(job.place) else { continue }
            if let failure = job.expiry(now: Telemetry.Timestamp.now()) {
                desk.submit(answers.failure(failure, of: job), of: job)
            } else if let job = desk.admit(job) {
                guard attend(to: job) || supervisor.rejoin() else { return }
            }
        }
    }

    /// False when a call into the storage was given up: whoever gave it up has seen to the job.
    private func attend(to job: Job) -> Bool {
        if case .trying = job.stage { return fetch(job, from: storage.root) }
        guard let found = storage.check(by: supervisor, onHung: { awaitStorage(job) }) else { return false }
        guard let root = found else {
            awaitStorage(job)
            return true
        }
        guard case .failed(let failure) = job.stage else { return fetch(job, from: root) }
        desk.submit(answers.failure(failure, of: job), of: job)
        return true
    }

    private func fetch(_ job: Job, from root: StorageRoot) -> Bool {
        var job = job
        job.attempts += 1
        let start = MonotonicTime.now
        let begun = job
        let opening = supervisor.call {
            hooks.beginRead(of: begun.request.image)
            return Result { () throws(ImageAccessError) in
                try root.open(begun.request.image, limit: maximumImageBytes)
            }
        } onHung: {
            giveUp(begun, since: start)
        }
        guard let opening else { return false }
        let file: OpenedImage
        switch opening {
        case .success(let opened): file = opened
        case .failure(let error):
            job.fetchTime = MonotonicTime.now - start
            fail(job, with: RequestFailure(error), since: start)
            return true
        }
        let opened = MonotonicTime.now
        let (byteCount, topic) = (file.byteCount, job.topic)
        guard images.reserve(bytes: byteCount, topic: topic) else { return true }
        let reserved = MonotonicTime.now
        let reading = supervisor.call {
            Result { () throws(ImageAccessError) in try file.read() }
        } onHung: {
            images.release(bytes: byteCount, topic: topic)
            giveUp(begun, since: start)
        }
        guard let reading else { return false }
        job.fetchTime = (opened - start) + (MonotonicTime.now - reserved)
        switch reading {
        case .success(let bytes):
            storage.noteRead(of: job.request.image)
            images.put(FetchedJob(job: job, image: bytes, reservedBytes: byteCount), topic: topic)
        case .failure(let error):
            images.release(bytes: byteCount, topic: topic)
            fail(job, with: RequestFailure(error), since: start)
        }
        return true
    }

    /// An attempt does not return. It is not repeated for as long as the budget lasts: each one may cost a thread.
    private func giveUp(_ job: Job, since start: MonotonicTime) {
        var job = job
        job.fetchTime = MonotonicTime.now - start
        let failure = RequestFailure(.imageUnreadable, "the storage did not answer in time")
        proceed(job, to: job.stage == .trying ? .concluding : .failed(failure))
    }

    private func fail(_ job: Job, with failure: RequestFailure, since start: MonotonicTime) {
        guard failure.code.isTransient else {
            return desk.submit(answers.failure(failure, of: job), of: job)
        }
        guard case .trying = job.stage else { return proceed(job, to: .failed(failure)) }
        var job = job
        let now = MonotonicTime.now
        let firstFailure = job.firstFailure ?? now
        job.firstFailure = firstFailure
        let delay = retries.delay(afterAttempts: job.attempts, elapsed: now - firstFailure, jitter: .random(in: 0..<1))
        guard let delay else { return proceed(job, to: .concluding) }
        counters.count(\.retries)
        logger.debug(
            "will try again",
            metadata: [
                "code": .string(failure.code.rawValue), "attempts": .integer(job.attempts),
                "image": .string(job.request.image),
            ])
        requests.put(job, at: now + delay)
    }

    private func proceed(_ job: Job, to stage: Job.Stage) {
        var job = job
        job.stage = stage
        requests.put(job, at: .now)
    }

    /// The storage is away: what was tried does not count.
    private func awaitStorage(_ job: Job) {
        var job = job
        let isTrial = job.isTrial
        job = job.anew
        job.isTrial = isTrial
        let delay = RetrySchedule.storageDelay(afterWaits: job.storageWaits, jitter: .random(in: 0..<1))
        job.storageWaits += 1
        requests.put(job, at: .now + delay)
    }
}

extension RequestFailure {
    init(_ error: ImageAccessError) {
        let code: ErrorCode =
            switch error.kind {
            case .rejected: .imagePathRejected
            case .notFound: .imageNotFound
            case .unreadable: .imageUnreadable
            case .tooLarge: .imageTooLarge
            }
        self.init(code, error.message)
    }

    /// The codes of both are the contract's.
    init(_ error: InferenceError) {
        self.init(ErrorCode(rawValue: error.code.rawValue) ?? .internal, error.message)
    }
}
