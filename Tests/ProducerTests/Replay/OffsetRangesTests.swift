import Testing

@testable import Producer

@Suite struct OffsetRangesTests {
    @Test func comesBackAsItWas() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            let start = Int64.random(in: 0...1_000_000_000, using: &generator)
            var ranges: [Range<Int64>] = []
            var cursor = start
            for _ in 0..<Int.random(in: 0...50, using: &generator) {
                let lower = cursor + Int64.random(in: 1...(Bool.random() ? 3 : 100_000), using: &generator)
                let upper = lower + Int64.random(in: 1...(Bool.random() ? 3 : 100_000), using: &generator)
                ranges.append(lower..<upper)
                cursor = upper
            }
            let text = OffsetRanges.text(ranges, after: start)
            #expect(OffsetRanges.ranges(text, after: start) == ranges, "\(start) \(ranges)")
        }
    }

    /// Every other record replayed: two bits each.
    @Test func thousandsFitIntoACommit() {
        let ranges: [Range<Int64>] = (0..<10_000).map { (number: Int64) in 2 * number + 1..<2 * number + 2 }
        #expect(OffsetRanges.text(ranges, after: 0).utf8.count < 4000)
        #expect(OffsetRanges.text([1..<1_000_000_000], after: 0).utf8.count < 30)
    }

    @Test(arguments: [
        "x", "replayed:1:", "replayed:2:gA==", "replayed:1:gA", "replayed:1:****", "replayed:1:gA==",
        "replayed:1:AAAAAAAAAAD/////////////", "{\"version\":1}",
    ])
    func whatSomethingElseWroteIsNoRange(text: String) {
        let ranges = OffsetRanges.ranges(text, after: 5)
        #expect(ranges == nil || ranges == [])
    }

    @Test func overflowIsNoRange() {
        let text = OffsetRanges.text([1..<Int64.max - 1], after: 0)
        #expect(OffsetRanges.ranges(text, after: 10) == nil)
    }
}
