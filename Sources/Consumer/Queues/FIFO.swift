/// First in, first out, in constant time each on average.
struct FIFO<Element: Sendable>: Sendable {
    private var elements: [Element?] = []
    private var head = 0

    var count: Int { elements.count - head }
    var isEmpty: Bool { count == 0 }

    mutating func append(_ element: Element) { elements.append(element) }

    mutating func append(contentsOf more: some Collection<Element>) {
        for element in more { elements.append(element) }
    }

    mutating func takeFirst() -> Element? {
        guard head < elements.count else { return nil }
        let first = elements[head]
        elements[head] = nil
        head += 1
        removeTakenPrefix()
        return first
    }

    mutating func takeFirst(_ maximum: Int) -> [Element] {
        let end = min(head + maximum, elements.count)
        var first: [Element] = []
        first.reserveCapacity(end - head)
        while head < end {
            if let element = elements[head].take() { first.append(element) }
            head += 1
        }
        removeTakenPrefix()
        return first
    }

    /// Puts back what was taken, to be the first again.
    mutating func putBack(_ first: some Collection<Element>) { elements.insert(contentsOf: first.map { $0 }, at: head) }

    private mutating func removeTakenPrefix() {
        if head == elements.count {
            elements.removeAll(keepingCapacity: head <= 1024)
            head = 0
        } else if head > 256, head * 2 > elements.count {
            elements.removeFirst(head)
            head = 0
        }
    }
}
