import Foundation

/// What a worker's log tells the harness.
struct WorkerLog {
    let lines: [Substring]

    init(_ text: String) { lines = text.split(separator: "\n") }

    init(file: URL) { self.init((try? String(contentsOf: file, encoding: .utf8)) ?? "") }

    /// Requests that it found deleted by retention: each line of the finding counts, since a worker that is killed has no
    /// summary.
    var lostToRetention: Int {
        lines.filter { $0.contains("were deleted by the topic's retention") }
            .compactMap { $0.firstMatch(of: /requests_lost_to_retention=(\d+)/).flatMap { Int($0.output.1) } }
            .reduce(0, +)
    }

    /// Lines about partitions that came or went.
    var rebalances: Int {
        lines.count { line in
            ["assigned", "revoked", "lost"].contains { line.contains(": \($0) partitions=") }
                && !line.contains("partitions=\"\"")
        }
    }
}
