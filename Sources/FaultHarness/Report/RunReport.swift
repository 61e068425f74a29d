import Foundation

/// What one run found, and the line that says so.
struct RunReport: Sendable {
    var seed: Int
    var mode: DeliveryMode
    var accepted: Int
    var faults: Int
    var findings: Findings?
    /// Requests deleted before they were read, and how many of them the workers counted.
    var lost = 0
    var lostCounted = 0
    var longestStall = Duration.zero
    var duration = Duration.zero
    /// Why the run failed, in words.
    var objections: [String]
    /// Where the logs of a failed run are.
    var logs: URL?

    var isPassed: Bool { objections.isEmpty }

    func with(objection: String) -> RunReport {
        var copy = self
        copy.objections.append(objection)
        return copy
    }

    func with(logs: URL) -> RunReport {
        var copy = self
        copy.logs = logs
        return copy
    }

    /// `seed=1 mode=at-least-once accepted=5000 … verdict=passed`
    var line: String {
        var fields = ["seed=\(seed)", "mode=\(mode.rawValue)", "accepted=\(accepted)", "faults=\(faults)"]
        if let findings {
            fields += [
                "missing=\(findings.missing.count)", "repeated=\(findings.repeated)",
                "unrecognisable=\(findings.unrecognisable)", "out_of_order=\(findings.outOfOrder)",
                "dead_letters=\(Self.list(findings.deadLetters))",
                "unexpected_errors=\(Self.list(findings.unexpectedErrors))", "lost_to_retention=\(lost)",
                "lost_counted=\(lostCounted)",
            ]
        }
        fields += [
            "longest_stall_s=\(Self.seconds(longestStall))", "seconds=\(Int(duration.inSeconds.rounded()))",
            "verdict=\(isPassed ? "passed" : "failed")",
        ]
        return fields.joined(separator: " ")
    }

    static func seconds(_ duration: Duration) -> String { String(format: "%.1f", duration.inSeconds) }

    private static func list(_ counts: [String: Int]) -> String {
        if counts.isEmpty { return "none" }
        return counts.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ",")
    }
}

extension RunReport {
    /// Of a run that did not come to an end.
    init(_ settings: RunSettings) {
        self.init(seed: settings.seed, mode: settings.mode, accepted: 0, faults: settings.faults, objections: [])
    }
}
