/// How long answers stayed away.
enum Stalls {
    /// The longest time in which at least one accepted request waited and no answer at all was seen.
    static func longest(
        accepted: [Position: ContinuousClock.Instant], sightings: [ResultWatch.Sighting]
    ) -> Duration {
        var events = accepted.map { (time: $0.value, request: $0.key, isAnswer: false) }
        events += sightings.map { (time: $0.time, request: $0.request, isAnswer: true) }
        events.sort { $0.time < $1.time }
        var waiting: Set<Position> = []
        var answered: Set<Position> = []
        var since: ContinuousClock.Instant?
        var longest = Duration.zero
        for event in events {
            if event.isAnswer {
                if let start = since { longest = max(longest, event.time - start) }
                answered.insert(event.request)
                waiting.remove(event.request)
                since = waiting.isEmpty ? nil : event.time
            } else if !answered.contains(event.request) {
                // An answer can be seen before the acknowledgement of its request is.
                waiting.insert(event.request)
                since = since ?? event.time
            }
        }
        return longest
    }

    /// The longest time between two answers of the same partition within a span of time, for each partition that had any.
    static func longestGaps(
        in span: ClosedRange<ContinuousClock.Instant>, sightings: [ResultWatch.Sighting]
    ) -> [Int32: Duration] {
        var last: [Int32: ContinuousClock.Instant] = [:]
        var gaps: [Int32: Duration] = [:]
        for sighting in sightings where span.contains(sighting.time) {
            let partition = sighting.request.partition
            if let before = last[partition] { gaps[partition] = max(gaps[partition] ?? .zero, sighting.time - before) }
            last[partition] = sighting.time
        }
        return gaps
    }
}
