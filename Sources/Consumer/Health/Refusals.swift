/// When a worker that Kafka refuses asks the brokers whether that is over, and whether their answer ends it. A value without lock
/// or clock: the `AccessWatch` owns it.
///
/// What is asked is less than what may be refused: nobody can ask for a transactional id, nor whether a topic that may be seen
/// may be written to. So it is over only if, besides, nothing was refused for longer than any client waits between two attempts.
struct Refusals: Sendable {
    /// Without a refusal before the brokers are asked. A transactional producer is the slowest to try again: 5 s after an
    /// attempt of at most 5 s.
    static let quiet = Duration.seconds(15)
    /// From an answer to the next question.
    static let interval = Duration.seconds(5)

    /// Nil when it is over.
    private var last: MonotonicTime?
    private var asked: MonotonicTime?
    private var answered: MonotonicTime?

    mutating func add(at time: MonotonicTime) { last = time }

    /// When to ask; nil while nothing is refused.
    var nextQuestion: MonotonicTime? {
        last.map { last in max(last + Self.quiet, answered.map { $0 + Self.interval } ?? last) }
    }

    mutating func ask(at time: MonotonicTime) { asked = time }

    /// Takes in what the brokers said; whether it is over. A refusal since the question outweighs it.
    mutating func answer(isAdmitted: Bool, at time: MonotonicTime) -> Bool {
        answered = time
        guard isAdmitted, let last, let asked, last < asked else { return false }
        self.last = nil
        return true
    }
}
