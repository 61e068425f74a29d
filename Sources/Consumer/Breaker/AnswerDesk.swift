import Messaging
import Synchronization
import Telemetry

/// Where answers are handed in, and where requests ask to be begun: all pass the circuit breaker here.
///
/// While it is open, requests that are about to begin and faults that would be answered are kept here, in no thread's
/// way. They hold their places in the window, which so fills up and stops the consumption. Any thread may call.
final class AnswerDesk: Sendable {
    private enum Kept: Sendable {
        case job(Job)
        /// One that failed before it became a job: nothing would change if it were tried again here.
        case answer(Answer, Place)

        var place: Place {
            switch self {
            case .job(let job): job.place
            case .answer(_, let place): place
            }
        }

        var isJob: Bool { if case .job = self { true } else { false } }
    }

    private struct State {
        var breaker: CircuitBreaker
        var kept: [Kept] = []
        /// The next request that comes is tried: none was here when it was time to.
        var wantsTrial = false
        /// Epochs of which a request was tried since the breaker opened, the latest last.
        var tried: [UInt32] = []

        /// Takes out what is to be tried next: a job where there is one, because trying an answer would change nothing; and
        /// of the epoch whose turn is the longest ago, because what one caller asks for in vain must not speak for all.
        mutating func takeTrial() -> Kept? {
            let jobs = kept.indices.filter { kept[$0].isJob }
            let turns = Dictionary(uniqueKeysWithValues: zip(tried, 1...))
            let next = (jobs.isEmpty ? Array(kept.indices) : jobs).min {
                turns[kept[$0].place.epoch, default: 0] < turns[kept[$1].place.epoch, default: 0]
            }
            guard let next else { return nil }
            noteTrial(of: kept[next].place)
            return kept.remove(at: next)
        }

        mutating func noteTrial(of place: Place) {
            tried.removeAll { $0 == place.epoch }
            tried.append(place.epoch)
        }
    }

    private let publisher: any Publisher
    private let requests: TimedQueue<Job>
    private let ledger: Ledger<Answer>
    private let readiness: Readiness
    private let state: Mutex<State>

    init(
        breaker: CircuitBreaker.Settings, publisher: any Publisher, requests: TimedQueue<Job>, ledger: Ledger<Answer>,
        readiness: Readiness
    ) {
        self.publisher = publisher
        self.requests = requests
        self.ledger = ledger
        self.readiness = readiness
        state = Mutex(State(breaker: CircuitBreaker(breaker)))
    }

    /// The job, if it may begin now; otherwise it is kept.
    func admit(_ job: Job) -> Job? {
        state.withLock { state in
            guard state.breaker.isOpen, !job.isTrial else { return job }
            guard state.wantsTrial else {
                state.kept.append(.job(job.anew))
                return nil
            }
            state.wantsTrial = false
            state.noteTrial(of: job.place)
            var job = job
            job.isTrial = true
            return job
        }
    }

    /// Hands in the answer to a job.
    func submit(_ answer: Answer, of job: Job) {
        submit(answer, at: job.place, isTrial: job.isTrial, keeping: .job(job.anew))
    }

    /// Hands in the answer to a request that never became a job.
    func submit(_ answer: Answer, at place: Place) {
        submit(answer, at: place, isTrial: false, keeping: .answer(answer, place))
    }

    var isOpen: Bool { state.withLock { $0.breaker.isOpen } }

    private func submit(_ answer: Answer, at place: Place, isTrial: Bool, keeping kept: Kept) {
        let outcome = CircuitBreaker.Outcome(answer.failure?.code)
        let (goesOut, released) = state.withLock { state in
            let wasOpen = state.breaker.isOpen
            let goesOut = state.breaker.admit(outcome, isTrial: isTrial, now: .now)
            if !goesOut {
                // Nobody is at it any more: a partition that goes does not wait for it.
                ledger.postpone([place])
                state.kept.append(kept)
            }
            let isOpen = state.breaker.isOpen
            if isOpen != wasOpen { report(isOpen) }
            guard wasOpen, !isOpen else { return (goesOut, [Kept]()) }
            defer { state.kept = [] }
            state.wantsTrial = false
            state.tried = []
            return (goesOut, state.kept)
        }
        if goesOut { publisher.submit(answer, at: place) }
        for kept in released { begin(kept) }
    }

    /// Tries one request if it is time to, and drops what nobody wants any more. Called from time to time by one thread.
    func tryOneIfDue() {
        let now = Telemetry.Timestamp.now()
        let (expired, trial) = state.withLock { state -> ([Job], Kept?) in
            guard state.breaker.isOpen else { return ([], nil) }
            var expired: [Job] = []
            state.kept.removeAll { kept in
                guard ledger.isWanted(kept.place) else { return true }
                guard case .job(let job) = kept, job.expiry(now: now) != nil else { return false }
                expired.append(job)
                return true
            }
            guard state.breaker.isTrialDue(now: .now) else { return (expired, nil) }
            let trial = state.takeTrial()
            state.wantsTrial = trial == nil
            return (expired, trial)
        }
        for job in expired { requests.put(job, topic: job.topic) }
        guard let trial else { return }
        switch trial {
        case .job(var job):
            job.isTrial = true
            requests.put(job, topic: job.topic)
        case .answer(let answer, let place): submit(answer, at: place, isTrial: true, keeping: trial)
        }
    }

    private func begin(_ kept: Kept) {
        switch kept {
        case .job(let job): requests.put(job, topic: job.topic)
        case .answer(let answer, let place): submit(answer, at: place)
        }
    }

    private func report(_ isOpen: Bool) {
        if isOpen {
            readiness.miss(
                .breaker,
                because:
                    "too many of the last answers are internal, image_unreadable, image_not_found or model_unknown; "
                    + "requests wait, and one is tried from time to time")
        } else {
            readiness.meet(.breaker)
        }
    }
}

extension CircuitBreaker.Outcome {
    /// - Parameter code: of the failure; nil for a caption.
    init(_ code: ErrorCode?) {
        switch code {
        case nil: self = .success
        case .internal, .imageUnreadable, .imageNotFound, .modelUnknown: self = .fault
        default: self = .refusal
        }
    }
}
