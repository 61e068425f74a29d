/// Whose turn it is among topics with weights: start-time fair queueing (Goyal, Vin and Cheng, "Start-time Fair Queuing: A
/// Scheduling Algorithm for Integrated Services Packet Switching Networks", 1996).
///
/// While several topics have work, each gets its weight's share of it, so that none starves. A topic that had no work and
/// gets some has saved nothing up, but goes before a lighter one that was served all the while. A value type without locks.
struct WeightedTurns: Sendable {
    private let weights: [Int]
    /// In units of work divided by weight: when the last work given to each topic ends.
    private var ends: [Double]
    /// When the work given last began.
    private var now = 0.0

    init(_ topics: TopicWeights) {
        weights = topics.weights
        ends = Array(repeating: 0, count: topics.count)
    }

    /// The topic whose turn it is among those that have work; nil if none has. Ties go to the heavier.
    func next(where hasWork: (Int) -> Bool) -> Int? {
        var best: Int?
        for topic in weights.indices where hasWork(topic) {
            guard let other = best else {
                best = topic
                continue
            }
            let (start, earliest) = (start(of: topic), start(of: other))
            if start < earliest || (start == earliest && weights[topic] > weights[other]) { best = topic }
        }
        return best
    }

    /// So many units of work were given to the topic.
    mutating func charge(_ topic: Int, _ units: Int) {
        now = start(of: topic)
        ends[topic] = now + Double(units) / Double(weights[topic])
    }

    /// So many of the units that the topic was charged with were not done.
    mutating func refund(_ topic: Int, _ units: Int) { ends[topic] -= Double(units) / Double(weights[topic]) }

    func isHeavier(_ topic: Int, than other: Int) -> Bool { weights[topic] > weights[other] }

    private func start(of topic: Int) -> Double { max(now, ends[topic]) }
}
