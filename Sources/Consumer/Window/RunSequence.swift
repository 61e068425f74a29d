/// Slices of an array, cut where a key changes: what is looked up by the key is then looked up once a run, and what comes in
/// runs costs little.
struct RunSequence<Element, Key: Equatable>: Sequence, IteratorProtocol {
    private var rest: ArraySlice<Element>
    private let key: (Element) -> Key

    init(_ elements: [Element], by key: @escaping (Element) -> Key) {
        rest = elements[...]
        self.key = key
    }

    /// Never empty; nil at the end.
    mutating func next() -> ArraySlice<Element>? {
        guard let first = rest.first.map(key) else { return nil }
        let end = rest.firstIndex { key($0) != first } ?? rest.endIndex
        defer { rest = rest[end...] }
        return rest[..<end]
    }
}
