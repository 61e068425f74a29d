/// Gets answers into Kafka and tells the ledger when they are safe there.
///
/// The contract of both ways of delivery:
/// - `submit` may be called by any thread and never waits.
/// - `run` is the work of one thread of its own, which alone touches the producer. It takes answers into the ledger, and
///   produces what that releases, in its order.
/// - The ledger hears of an answer (which frees its place in the window) when Kafka has it for good, never before.
/// - An answer whose assignment has ended goes nowhere.
/// - While Kafka is away answers wait; a producer that is beyond use is replaced, and what it left undone is done again.
protocol Publisher: Sendable {
    /// Whether offsets are committed together with the answers. If not, the poll thread commits the ledger's watermarks.
    var commitsOffsets: Bool { get }

    func submit(_ answer: Answer, at place: Place)

    /// Works until `close`.
    func run()

    /// Ends `run`; what is not produced yet is dropped.
    func close()
}
