import Messaging

/// The topics that requests come from, and what share of the work each gets while there is work of all of them.
/// Topics are known by their index here.
struct TopicWeights: Sendable, Equatable {
    let names: [String]
    /// At least 1, one for each name.
    let weights: [Int]

    init(_ topics: [(name: String, weight: Int)]) {
        names = topics.map(\.name)
        weights = topics.map { max(1, $0.weight) }
    }

    /// Topics of one weight, for what knows no topics: everything is of the first.
    static let single = TopicWeights([("", 1)])

    var count: Int { weights.count }

    /// A topic that is not among them counts as the lightest.
    func index(of topic: String) -> Int {
        names.firstIndex(of: topic) ?? weights.indices.min { weights[$0] < weights[$1] } ?? 0
    }
}
