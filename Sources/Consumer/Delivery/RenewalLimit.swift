/// How often a producer that failed for good may be replaced. One failure is got over by a new producer; one that comes
/// again and again has a cause that a new producer does not mend, such as two workers with one instance id.
struct RenewalLimit: Sendable {
    static let maximum = 5
    static let period = Duration.seconds(60)

    private var times: [MonotonicTime] = []

    /// Whether one more replacement is allowed; it is counted.
    mutating func admit(at now: MonotonicTime) -> Bool {
        times.removeAll { now - $0 >= Self.period }
        times.append(now)
        return times.count <= Self.maximum
    }
}
