import Testing

@testable import Consumer

@Suite("Runs of equal keys")
struct RunSequenceTests {
    @Test(
        "cut where the key changes, with nothing left out",
        arguments: [
            [], [[1]], [[1, 1, 1]], [[1], [2], [1]], [[1, 1], [2], [3, 3, 3], [1]],
        ])
    func cuts(_ runs: [[Int]]) {
        let elements = runs.joined().enumerated().map { (key: $0.element, index: $0.offset) }
        let cut = Array(RunSequence(elements) { $0.key })
        #expect(cut.map { $0.map(\.key) } == runs)
        #expect(cut.joined().map(\.index) == elements.map(\.index))
    }
}
