/// Whether a run kept the promise of its mode.
enum DeliveryMode: String, Sendable, CaseIterable {
    case atLeastOnce = "at-least-once"
    case exactlyOnce = "exactly-once"

    /// What the findings show against the promise, in words; empty: it was kept.
    func objections(to findings: Findings) -> [String] {
        var objections: [String] = []
        func object(_ count: Int, _ text: String) {
            if count > 0 { objections.append("\(count) \(text)") }
        }
        object(findings.missing.count, "accepted requests have no result")
        object(findings.unrecognisable, "repeats have another ce_id than the first result")
        object(findings.outOfOrder, "results are out of order")
        object(findings.foreign, "results belong to no request")
        object(findings.deadLettersMissing, "failed requests have no dead letter")
        for (code, count) in findings.unexpectedErrors.sorted(by: { $0.key < $1.key }) {
            object(count, "requests failed with \(code), which no fault accounts for")
        }
        if self == .exactlyOnce {
            object(findings.repeated, "results are repeated")
            object(findings.deadLettersRepeated, "dead letters are repeated")
            object(findings.deadLettersUnfounded, "dead letters have no error result")
        }
        return objections
    }
}
