/// Batches of captions of one length or nearly so, in a random order, anew for each epoch.
public struct LengthGroups: Sendable {
    /// Numbers of captions.
    public let batches: [[Int]]

    /// - Parameter lengths: of all captions, in words.
    public init(lengths: [Int], batch: Int, seed: UInt64, epoch: Int) {
        var random = RandomStream(seed: seed, .order, at: epoch)
        let shuffled = lengths.indices.shuffled(using: &random)
        let order = shuffled.enumerated().sorted { (lengths[$0.element], $0.offset) < (lengths[$1.element], $1.offset) }
            .map(\.element)
        batches = stride(from: 0, to: order.count, by: batch).map { Array(order[$0..<min($0 + batch, order.count)]) }
            .shuffled(using: &random)
    }
}
