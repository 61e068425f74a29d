/// Times of one piece of work, repeated.
struct Timing {
    /// Milliseconds, fastest and median.
    var fastest: Double
    var median: Double

    /// Repeats `body` until `seconds` have gone, at least 5 times after one to warm up.
    init(seconds: Double, _ body: () throws -> Void) rethrows {
        try body()
        var times: [Double] = []
        let start = ContinuousClock.now
        while times.count < 5 || ContinuousClock.now - start < .seconds(seconds) {
            let before = ContinuousClock.now
            try body()
            times.append((ContinuousClock.now - before) / .milliseconds(1))
        }
        times.sort()
        (fastest, median) = (times[0], times[times.count / 2])
    }
}
