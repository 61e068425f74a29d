import Inference
import Messaging
import Synchronization
import Telemetry
import Testing

@testable import Consumer

@Suite("Answers and requests at the circuit breaker") struct AnswerDeskTests {
    private final class Sink: Publisher {
        let codes = Mutex<[ErrorCode?]>([])
        let commitsOffsets = false

        func submit(_ answer: Answer, at place: Place) { codes.withLock { $0.append(answer.failure?.code) } }
        func run() {}
        func close() {}
    }

    private let sink = Sink()
    private let requests = TimedQueue<Job>()
    private let ledger = Ledger<Answer>(limits: .init(requests: 100, bytes: 1 << 20), order: .partition) {
        $0.messageCount
    }
    private let readiness = Readiness(logger: Logger(label: "test", form: "text", level: "critical"))
    private let desk: AnswerDesk
    private let maker = AnswerMaker(
        worker: "w", identity: ModelIdentity(name: "m", version: "1", digest: "", precision: "fp32"))

    init() {
        desk = AnswerDesk(
            breaker: .init(threshold: 50, window: 4, interval: .zero), publisher: sink, requests: requests,
            ledger: ledger, readiness: readiness)
        ledger.assign((0..<3).map(partition))
    }

    private func partition(_ number: Int32) -> TopicPartition { TopicPartition(topic: "t", partition: number) }

    private func job(_ offset: Int64, partition number: Int32 = 0, expiresAt: Int64? = nil) throws -> Job {
        let place = try #require(ledger.admit(partition(number), offset: offset, bytes: 1))
        var job = Job(
            place: place,
            received: ReceivedRequest(
                KafkaMessage(
                    topic: "t", partition: number, offset: offset, timestamp: 0,
                    value: CaptionRequest(id: "\(offset)", image: "a.jpg", expiresAt: expiresAt).encoded())),
            options: CaptionOptions(), arrival: .now)
        job.attempts = 3
        return job
    }

    private func fail(_ job: Job) {
        desk.submit(maker.failure(RequestFailure(.imageNotFound, ""), of: job), of: job)
    }

    private func succeed(_ job: Job) {
        let output = CaptionSession.Output(
            candidates: [], decodeMilliseconds: 0, encodeMilliseconds: 0, captionMilliseconds: 0)
        desk.submit(maker.caption(output, of: job, queue: .zero, batch: 1), of: job)
    }

    private var sent: [ErrorCode?] { sink.codes.withLock { $0 } }

    private func open() throws {
        fail(try job(0))
        fail(try job(1))
        #expect(desk.isOpen)
        #expect(!readiness.holds(.breaker))
    }

    @Test("closed, everything passes")
    func closed() throws {
        let job = try job(0)
        #expect(desk.admit(job)?.attempts == 3)
        succeed(job)
        #expect(sent == [nil])
        #expect(readiness.holds(.breaker))
    }

    @Test("open, requests and faults are kept; one is tried; when it succeeds all are begun anew, in their order")
    func open_() throws {
        try open()
        #expect(desk.admit(try job(2)) == nil)
        fail(try job(3))
        #expect(sent.count == 2)
        desk.tryOneIfDue()
        let trial = try #require(requests.take())
        #expect(trial.isTrial)
        #expect(trial.attempts == 0)
        #expect(desk.admit(trial) != nil)
        succeed(trial)
        #expect(sent.count == 3)
        #expect(!desk.isOpen)
        #expect(readiness.holds(.breaker))
        #expect(requests.take()?.message.offset == 3)
    }

    @Test("trials go from partition to partition, through all of them")
    func turns() throws {
        try open()
        for offset in 2...3 { _ = desk.admit(try job(Int64(offset))) }
        for number in Int32(1)...2 { _ = desk.admit(try job(0, partition: number)) }
        var tried: [Int32] = []
        for _ in 0..<4 {
            desk.tryOneIfDue()
            let trial = try #require(requests.take())
            tried.append(trial.message.partition)
            fail(trial)
        }
        #expect(tried == [0, 1, 2, 0])
        #expect(desk.isOpen)
        #expect(sent.count == 6, "a trial's failure is its answer")
    }

    @Test("what can be tried comes before answers that are only kept")
    func jobsFirst() throws {
        try open()
        for offset in Int64(2)...4 {
            for number in Int32(0)...1 {
                let job = try job(offset, partition: number)
                desk.submit(maker.failure(RequestFailure(.modelUnknown, ""), of: job), at: job.place)
            }
        }
        _ = desk.admit(try job(0, partition: 2))
        desk.tryOneIfDue()
        try #require(requests.count == 1)
        #expect(requests.take()?.message.partition == 2)
        #expect(sent.count == 2, "no kept answer went out")
    }

    @Test("with nothing kept the next request is the trial")
    func nextRequest() throws {
        try open()
        desk.tryOneIfDue()
        #expect(desk.admit(try job(2))?.isTrial == true)
        #expect(desk.admit(try job(3)) == nil)
    }

    @Test("an answer to what never became a job is kept as it is")
    func answers() throws {
        try open()
        let job = try job(2)
        let answer = maker.failure(RequestFailure(.modelUnknown, ""), of: job)
        desk.submit(answer, at: job.place)
        #expect(sent.count == 2)
        desk.tryOneIfDue()
        #expect(sent == [.imageNotFound, .imageNotFound, .modelUnknown])
        #expect(desk.isOpen)
    }

    @Test("a partition that goes does not wait for what a pool thread handed in and is kept")
    func keptIsSettled() throws {
        try open()
        let job = try job(0, partition: 1)
        #expect(ledger.start(job.place))
        fail(job)
        #expect(sent.count == 2)
        ledger.close([partition(1)])
        #expect(ledger.waitUntilSettled([partition(1)], until: .now))
    }

    @Test("what is kept of a partition that goes away is dropped; what expires is seen to")
    func gone() throws {
        try open()
        _ = desk.admit(try job(0, partition: 1))
        _ = desk.admit(try job(2, expiresAt: 1))
        ledger.remove([partition(1)])
        desk.tryOneIfDue()
        #expect(requests.take()?.message.offset == 2)
        desk.tryOneIfDue()
        #expect(desk.admit(try job(3))?.isTrial == true, "nothing was left to try")
    }
}
