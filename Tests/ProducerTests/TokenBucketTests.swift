import Testing

@testable import Producer

struct TokenBucketTests {
    /// Sends as fast as the bucket allows and returns the time of each event.
    private func times(_ count: Int, rate: Double, pauseBefore: (Int) -> Duration = { _ in .zero }) -> [Duration] {
        var now = Duration.seconds(1000)
        var bucket = TokenBucket(rate: rate, now: now)
        var times: [Duration] = []
        for index in 0..<count {
            now += pauseBefore(index)
            now += bucket.take(now: now)
            times.append(now - .seconds(1000))
        }
        return times
    }

    @Test(arguments: [0.5, 3, 100, 12_345.6]) func theRateIsKept(rate: Double) {
        let count = 1000
        let last = times(count, rate: rate).last! / .seconds(1)
        #expect(abs(last - Double(count - 1) / rate) < 1e-6 * Double(count))
    }

    @Test func theFirstComesAtOnceAndTheOthersEvenly() {
        let milliseconds = times(4, rate: 10).map { ($0 / .milliseconds(1)).rounded() }
        #expect(milliseconds == [0, 100, 200, 300])
    }

    @Test func aPauseIsNotMadeUpFor() {
        // After ten seconds at most a tenth of a second's events (10) come at once.
        let all = times(40, rate: 100) { $0 == 10 ? .seconds(10) : .zero }
        let resumed = all[10]
        #expect(all.filter { $0 == resumed }.count == 10)
        #expect(abs((all[39] - resumed) / .milliseconds(1) - 200) < 1)
    }
}
