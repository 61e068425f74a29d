import Inference
import Messaging
import Telemetry

/// What the I/O threads do: open and read images, within the limit on bytes, and hand them to the pool. A transient error
/// puts the request back for later, which holds no thread.
struct Fetcher: Sendable {
    let storage: StorageRoot
    let requests: TimedQueue<Job>
    let images: ImageQueue<FetchedJob>
    let ledger: Ledger<Answer>
    let publisher: any Publisher
    let answers: AnswerMaker
    let retries: RetrySchedule
    let maximumImageBytes: Int
    let counters: Counters
    let hooks: TestHooks
    let logger: Logger

    /// Works until the queue of requests is closed.
    func run() {
        while let job = requests.take() {
            guard ledger.isWanted(job.place) else { continue }
            if let failure = job.expiry(now: Telemetry.Timestamp.now()) {
                publisher.submit(answers.failure(failure, of: job), at: job.place)
            } else {
                fetch(job)
            }
        }
    }

    private func fetch(_ job: Job) {
        var job = job
        job.attempts += 1
        let start = MonotonicTime.now
        hooks.beginRead(of: job.request.image)
        do throws(ImageAccessError) {
            let file = try storage.open(job.request.image, limit: maximumImageBytes)
            let opened = MonotonicTime.now
            guard images.reserve(bytes: file.byteCount, topic: job.topic) else { return }
            let reserved = MonotonicTime.now
            do throws(ImageAccessError) {
                let bytes = try file.read()
                job.fetchTime = (opened - start) + (MonotonicTime.now - reserved)
                images.put(FetchedJob(job: job, image: bytes, reservedBytes: file.byteCount), topic: job.topic)
            } catch {
                images.release(bytes: file.byteCount, topic: job.topic)
                throw error
            }
        } catch {
            job.fetchTime = MonotonicTime.now - start
            fail(job, with: RequestFailure(error))
        }
    }

    private func fail(_ job: Job, with failure: RequestFailure) {
        var job = job
        let now = MonotonicTime.now
        if failure.code.isTransient {
            let firstFailure = job.firstFailure ?? now
            job.firstFailure = firstFailure
            let delay = retries.delay(
                afterAttempts: job.attempts, elapsed: now - firstFailure, jitter: .random(in: 0..<1))
            if let delay {
                counters.count(\.retries)
                logger.debug(
                    "will try again",
                    metadata: [
                        "code": .string(failure.code.rawValue), "attempts": .integer(job.attempts),
                        "image": .string(job.request.image),
                    ])
                return requests.put(job, at: now + delay)
            }
        }
        publisher.submit(answers.failure(failure, of: job), at: job.place)
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
