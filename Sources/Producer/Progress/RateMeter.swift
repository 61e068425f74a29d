/// The rate over the last few seconds, from samples of a running total.
struct RateMeter {
    private let window: Duration
    private var samples: [(time: Duration, total: Int)] = []

    init(window: Duration = .seconds(5)) { self.window = window }

    /// Takes a sample; times rise. Returns the events a second since the oldest sample of the window, nil for the first.
    mutating func add(_ total: Int, at time: Duration) -> Double? {
        samples.append((time, total))
        // One sample from before the window stays, so that the window is covered whole.
        while samples.count > 2, samples[1].time <= time - window { samples.removeFirst() }
        let seconds = (time - samples[0].time) / .seconds(1)
        return seconds > 0 ? Double(total - samples[0].total) / seconds : nil
    }
}
