/// How far the work is at one moment, and how that is shown.
struct ProgressSnapshot {
    var counts: Counts
    /// Images that were found in all; nil while that is not known.
    var total: Int?
    var elapsed: Duration
    /// Images a second lately; nil at the beginning.
    var rate: Double?
    /// With `--wait` an image is done when it is answered, else when it is delivered.
    var waitsForAnswers: Bool

    /// Images that need no more work.
    var done: Int {
        counts.skipped + counts.failed + (waitsForAnswers ? counts.answered : counts.delivered)
    }

    var secondsLeft: Double? {
        guard let total, let rate, rate > 0, total >= done else { return nil }
        return Double(total - done) / rate
    }

    /// `[=====>    ] 45%  3,150/7,000  210/s  ETA 0:18  2 failed`, no longer than `width`.
    func bar(width: Int) -> String {
        var facts: [String] = []
        if let total {
            let percent = total == 0 ? 100 : min(100, done * 100 / total)
            facts.append("\(percent)%  \(grouped(done))/\(grouped(total))")
        } else {
            facts.append("\(grouped(done)) \(waitsForAnswers ? "answered" : "delivered")")
        }
        if let rate { facts.append("\(rate < 10 ? oneDecimal(rate) : grouped(Int(rate)))/s") }
        if let secondsLeft {
            facts.append("ETA \(clock(secondsLeft))")
        } else {
            facts.append(clock(elapsed / .seconds(1)))
        }
        let troubles = [
            (counts.failed, "failed"), (counts.rejected, "rejected"), (counts.errors, "errors"),
            (counts.skipped, "skipped"),
        ]
        facts += troubles.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
        let text = facts.joined(separator: "  ")
        let room = min(40, width - text.count - 3)
        guard let total, room >= 8 else { return String(text.prefix(max(0, width))) }
        let filled = total == 0 ? room : min(room, done * room / total)
        let head = filled > 0 && filled < room ? String(repeating: "=", count: filled - 1) + ">" : nil
        let full = head ?? String(repeating: "=", count: filled)
        return "[\(full)\(String(repeating: " ", count: room - filled))] \(text)"
    }

    /// One line of JSON.
    func json(event: String, exitCode: Int32? = nil) -> String {
        let seconds = elapsed / .seconds(1)
        var fields = [
            #""event":"\#(event)""#, #""enqueued":\#(counts.enqueued)"#, #""delivered":\#(counts.delivered)"#,
            #""failed":\#(counts.failed)"#, #""rejected":\#(counts.rejected)"#, #""skipped":\#(counts.skipped)"#,
            #""seconds":\#(threeDecimals(seconds))"#,
        ]
        if waitsForAnswers {
            let missing = counts.delivered - counts.answered
            fields.append(
                #""results":{"ok":\#(counts.ok),"error":\#(counts.errors),"missing":\#(max(0, missing))}"#)
        }
        if let exitCode {
            fields.append(#""rate":\#(threeDecimals(seconds > 0 ? Double(counts.delivered) / seconds : 0))"#)
            fields.append(#""exit_code":\#(exitCode)"#)
        } else {
            fields.append(#""total":\#(total.map(String.init) ?? "null")"#)
            fields.append(#""rate":\#(rate.map(threeDecimals) ?? "null")"#)
            fields.append(#""eta_seconds":\#(secondsLeft.map(threeDecimals) ?? "null")"#)
        }
        return "{\(fields.joined(separator: ","))}"
    }

    /// A sentence for a person.
    var summary: String {
        let seconds = elapsed / .seconds(1)
        var parts = ["\(grouped(counts.enqueued)) enqueued", "\(grouped(counts.delivered)) delivered"]
        let rest = [(counts.failed, "failed"), (counts.rejected, "rejected"), (counts.skipped, "skipped")]
        parts += rest.filter { $0.0 > 0 }.map { "\(grouped($0.0)) \($0.1)" }
        if waitsForAnswers {
            parts.append("\(grouped(counts.ok)) captioned")
            if counts.errors > 0 { parts.append("\(grouped(counts.errors)) errors") }
            let missing = counts.delivered - counts.answered
            if missing > 0 { parts.append("\(grouped(missing)) unanswered") }
        }
        let rate = seconds > 0 ? Double(waitsForAnswers ? counts.answered : counts.delivered) / seconds : 0
        return parts.joined(separator: ", ") + " in \(oneDecimal(seconds)) s (\(oneDecimal(rate))/s)"
    }
}

/// `1,234,567`.
private func grouped(_ number: Int) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
        if index > 0, (digits.count - index) % 3 == 0 { text += "," }
        text.append(digit)
    }
    return text
}

/// `0:18`, `12:05`, `3:00:00`.
private func clock(_ seconds: Double) -> String {
    let whole = Int(min(seconds, 359_999).rounded(.up))
    func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let (hours, minutes) = (whole / 3600, whole / 60 % 60)
    return hours > 0 ? "\(hours):\(two(minutes)):\(two(whole % 60))" : "\(minutes):\(two(whole % 60))"
}

private func oneDecimal(_ number: Double) -> String { String((number * 10).rounded() / 10) }

private func threeDecimals(_ number: Double) -> String { String((number * 1000).rounded() / 1000) }
