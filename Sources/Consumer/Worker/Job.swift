import Inference
import Messaging

/// A record and what it asks for. By reference, because it goes through many hands and has many parts.
final class ReceivedRequest: Sendable {
    let message: KafkaMessage
    let request: CaptionRequest

    init(_ message: KafkaMessage, _ request: CaptionRequest) {
        self.message = message
        self.request = request
    }
}

/// One request on its way through the worker. A value handed from thread to thread: whoever has it owns it.
struct Job: Sendable {
    let place: Place
    /// Index of its topic, by which it takes turns with others.
    var topic = 0
    let received: ReceivedRequest
    let options: CaptionOptions
    /// When it was polled.
    let arrival: MonotonicTime
    /// Reads of the image begun so far.
    var attempts = 0
    var firstFailure: MonotonicTime?
    var fetchTime = Duration.zero
    var stage = Stage.trying
    /// How often it has waited for the storage to come back.
    var storageWaits = 0
    /// Under suspicion of having ended a worker: nothing else is captioned beside it.
    var runsAlone = false
    /// Let through by an open circuit breaker, to see whether it can be closed.
    var isTrial = false

    /// How near the fetching of its image is to a final failure.
    enum Stage: Sendable, Equatable {
        /// Failures are tried again for as long as the retry budget lasts.
        case trying
        /// One more attempt is made, from a root that was opened anew and found to be the storage of the start.
        case concluding
        /// That attempt has failed so. It is the answer if the storage is still there.
        case failed(RequestFailure)
    }

    /// As if it had not been tried yet: what was tried does not count.
    var anew: Job {
        var job = self
        job.attempts = 0
        job.firstFailure = nil
        job.stage = .trying
        job.isTrial = false
        return job
    }

    var message: KafkaMessage { received.message }
    var request: CaptionRequest { received.request }

    /// Why it is too late for an answer, if it is.
    func expiry(now: Int64) -> RequestFailure? {
        guard let expiresAt = request.expiresAt, now >= expiresAt else { return nil }
        return RequestFailure(.expired, "the request's expires_at has passed")
    }
}

/// A request whose image has been read.
struct FetchedJob: Sendable {
    let job: Job
    let image: ImageBytes
    /// What it holds of the image queue's bytes.
    let reservedBytes: Int
}

/// What a request is answered with, as Kafka gets it: the result's value, and for a failure its dead letter. Never changed, and
/// by reference, because it goes through many hands. It is written where it is made, on a thread of the pool, so that the one
/// publisher need not.
final class Answer: Sendable {
    private let received: ReceivedRequest
    let value: [UInt8]
    let deadLetter: DeadLetter?
    let timings: CaptionResult.Timings

    init(to received: ReceivedRequest, _ result: CaptionResult) {
        self.received = received
        value = result.encoded()
        deadLetter = result.failure.map { DeadLetter(failure: $0, attempts: result.attempts, worker: result.worker) }
        timings = result.timings
    }

    var message: KafkaMessage { received.message }
    var failure: RequestFailure? { deadLetter?.failure }
    var messageCount: Int { deadLetter == nil ? 1 : 2 }
}

/// Makes answers: knows what is the same in all of this worker's.
struct AnswerMaker: Sendable {
    let worker: String
    let model: CaptionResult.Model

    init(worker: String, identity: ModelIdentity) {
        self.worker = worker
        model = .init(
            name: identity.name, version: identity.version, digest: identity.digest,
            precision: identity.precision)
    }

    /// For a request that never became a job.
    func failure(_ failure: RequestFailure, of received: ReceivedRequest) -> Answer {
        var result = CaptionResult(
            request: received.request, source: .init(received.message), worker: worker, failure: failure)
        result.replayOf = CaptionRequest.replayOf(received.message)
        return Answer(to: received, result)
    }

    /// - Parameter queue: from poll to thread; nil if it never came to one.
    func failure(_ failure: RequestFailure, of job: Job, queue: Duration? = nil, batch: Int = 0) -> Answer {
        var result = begin(job, queue: queue, batch: batch)
        result.failure = failure
        if queue != nil { result.model = model }
        return Answer(to: job.received, result)
    }

    func caption(_ output: CaptionSession.Output, of job: Job, queue: Duration, batch: Int) -> Answer {
        var result = begin(job, queue: queue, batch: batch)
        result.caption = output.candidates.first?.caption
        result.candidates = output.candidates.map {
            .init(caption: $0.caption, logProbability: $0.logProbability, score: $0.score)
        }
        result.model = model
        result.timings.decode = output.decodeMilliseconds
        result.timings.encode = output.encodeMilliseconds
        result.timings.caption = output.captionMilliseconds
        return Answer(to: job.received, result)
    }

    private func begin(_ job: Job, queue: Duration?, batch: Int) -> CaptionResult {
        var result = CaptionResult(
            request: job.request, source: .init(job.message), worker: worker, attempts: max(1, job.attempts))
        result.replayOf = CaptionRequest.replayOf(job.message)
        result.timings.queue = queue?.milliseconds ?? 0
        result.timings.fetch = job.fetchTime.milliseconds
        result.timings.total = (MonotonicTime.now - job.arrival).milliseconds
        result.timings.batch = batch
        return result
    }
}
