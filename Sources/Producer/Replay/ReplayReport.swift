import Foundation
import Messaging

/// What became of the dead letters of one run, by code.
struct ReplayReport {
    struct Counts: Equatable {
        /// Sent and acknowledged; in a dry run: what would be sent.
        var replayed = 0
        /// Sent, but not acknowledged: the next run tries again.
        var failed = 0
        /// Without what it takes to send them again; they are not looked at any more.
        var impossible = 0
        /// Passed over by the filters or for want of a topic: left to a later run.
        var left = 0

        static let fields: [(name: String, key: KeyPath<Counts, Int> & Sendable)] = [
            ("replayed", \.replayed), ("failed", \.failed), ("impossible", \.impossible), ("left", \.left),
        ]
    }

    private(set) var byCode: [String: Counts] = [:]
    /// Replayed by earlier runs, and met again.
    var alreadyReplayed = 0
    let isDryRun: Bool

    init(isDryRun: Bool) { self.isDryRun = isDryRun }

    /// More codes than there can be stand together: the topic's contents are not ours alone.
    private static let maximumCodes = 100

    mutating func count(_ code: String, _ field: WritableKeyPath<Counts, Int>) {
        let code = byCode[code] != nil || byCode.count < Self.maximumCodes ? code : "others"
        byCode[code, default: Counts()][keyPath: field] += 1
    }

    var total: Counts {
        byCode.values.reduce(into: Counts()) { total, counts in
            total.replayed += counts.replayed
            total.failed += counts.failed
            total.impossible += counts.impossible
            total.left += counts.left
        }
    }

    /// Code by code, and a last line for all.
    func table(seconds: Double) -> String {
        var rows = [["CODE"] + Counts.fields.map { name(of: $0.name).uppercased() }]
        for (code, counts) in byCode.sorted(by: { $0.key < $1.key }) {
            rows.append([code] + Counts.fields.map { String(counts[keyPath: $0.key]) })
        }
        let width = rows.map { $0[0].count }.max() ?? 0
        let lines = rows.map { row in
            row[0] + String(repeating: " ", count: width - row[0].count)
                + row.dropFirst().map { String(repeating: " ", count: max(2, 14 - $0.count)) + $0 }.joined()
        }
        let already = alreadyReplayed > 0 ? ", \(alreadyReplayed) replayed before" : ""
        let all = "\(total.replayed) \(name(of: "replayed"))\(already) in \((seconds * 10).rounded() / 10) s"
        return ((byCode.isEmpty ? [] : lines) + [all]).joined(separator: "\n")
    }

    /// One line of JSON.
    func json(seconds: Double, exitCode: Int32) -> String {
        let codes = byCode.mapValues { counts in
            Dictionary(uniqueKeysWithValues: Counts.fields.map { (name(of: $0.name), counts[keyPath: $0.key]) })
        }
        var object: [String: Any] = [
            "event": "summary", "dry_run": isDryRun, "codes": codes, "replayed_before": alreadyReplayed,
            "seconds": (seconds * 1000).rounded() / 1000, "exit_code": Int(exitCode),
        ]
        for field in Counts.fields { object[name(of: field.name)] = total[keyPath: field.key] }
        return jsonLine(object)
    }

    private func name(of field: String) -> String { isDryRun && field == "replayed" ? "to_replay" : field }
}

/// A dead letter as a dry run shows it.
struct DeadLetterLine {
    let letter: ReceivedDeadLetter
    /// When the request failed for good, in milliseconds since 1970.
    let failedAt: Int64
    let target: String

    static let tableHeader = row("CODE", "FAILED AT", "REQUEST", "TO")

    var table: String { Self.row(letter.code, RFC3339.text(milliseconds: failedAt), letter.replayOf, target) }

    var json: String {
        jsonLine([
            "event": "to_replay", "code": letter.code, "failed_at": RFC3339.text(milliseconds: failedAt),
            "replay_of": letter.replayOf, "topic": target,
        ])
    }

    private static func row(_ code: String, _ time: String, _ request: String, _ target: String) -> String {
        zip([code, time, request], [20, 26, 48]).map { text, width in
            text + String(repeating: " ", count: max(2, width - text.count))
        }.joined() + target
    }
}

private func jsonLine(_ object: [String: Any]) -> String {
    let data = try? JSONSerialization.data(withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
    return data.map { String(decoding: $0, as: UTF8.self) } ?? "{}"
}
