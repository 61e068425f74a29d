/// Room that topics share: half of it is divided among them by weight and kept for each, the other half goes to whoever
/// comes. So the work of one topic, however much, never keeps another's out. A topic that is not active has nothing kept.
/// A value type without locks.
struct SharedRoom: Sendable {
    private let limit: Int
    private let weights: [Int]
    private var kept: [Int]
    private var taken: [Int]
    private(set) var total = 0

    /// - Parameter limit: of all topics together. What `take` is given may go beyond it: the room is then less than nothing.
    init(limit: Int, topics: TopicWeights) {
        self.limit = limit
        weights = topics.weights
        kept = Array(repeating: 0, count: topics.count)
        taken = kept
        keep(for: Array(repeating: true, count: topics.count))
    }

    /// Divides the half that is kept among the active topics. One alone needs none.
    mutating func keep(for active: [Bool]) {
        let sum = zip(weights, active).reduce(0) { $1.1 ? $0 + $1.0 : $0 }
        for topic in weights.indices {
            let share = active[topic] ? max(1, limit / 2 * weights[topic] / sum) : 0
            // In a room too small to be divided, whoever comes first is served.
            kept[topic] = limit >= 4 * weights.count ? share : 0
        }
    }

    /// What the topic may still take: what is free and not kept for others.
    func free(for topic: Int) -> Int {
        var free = limit - total
        for other in weights.indices where other != topic { free -= max(0, kept[other] - taken[other]) }
        return free
    }

    func taken(by topic: Int) -> Int { taken[topic] }

    mutating func take(_ amount: Int, for topic: Int) {
        taken[topic] += amount
        total += amount
    }

    mutating func give(_ amount: Int, of topic: Int) { take(-amount, for: topic) }
}
