import CommandLineOptions
import Foundation
import Messaging

/// Which dead letters are to be replayed.
struct ReplayFilter: Sendable {
    /// An end of the time range: an instant, or how long before the start of the program.
    enum Time: Sendable, Equatable {
        case instant(Int64)
        case ago(Duration)

        func milliseconds(now: Int64) -> Int64 {
            switch self {
            case .instant(let instant): instant
            case .ago(let duration): now - Int64(duration / .milliseconds(1))
            }
        }
    }

    /// nil: all.
    var codes: Set<String>?
    /// Milliseconds since 1970, of the dead letter: when the request failed for good.
    var since: Int64?
    /// The first instant that is too late.
    var until: Int64?

    func admits(code: String, timestamp: Int64) -> Bool {
        if let codes, !codes.contains(code) { return false }
        if let since, timestamp < since { return false }
        if let until, timestamp >= until { return false }
        return true
    }
}

extension ReplayFilter {
    /// Throws for a time range without any instant.
    init(_ options: ParsedOptions) throws(UsageError) {
        codes = options[EnqueueOptions.code].map { Set($0.map(\.rawValue)) }
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        since = options[EnqueueOptions.since]?.milliseconds(now: now)
        until = options[EnqueueOptions.until]?.milliseconds(now: now)
        if let since, let until, since >= until { throw UsageError("--since is not before --until") }
    }
}

extension ValueFormat where Value == ReplayFilter.Time {
    /// An instant by RFC 3339, or a length of time before now.
    static var time: Self {
        ValueFormat { text throws(UsageError) in
            if let instant = RFC3339.milliseconds(text) { return .instant(instant) }
            if let duration = try? ValueFormat<Duration>.duration.parse(text) { return .ago(duration) }
            throw UsageError(
                "'\(text)' is neither a time such as 2026-01-31T12:00:00Z nor a length of time ago such as 30m, 2h or 7d"
            )
        }
    }
}

extension ValueFormat where Value == [ErrorCode] {
    /// `CODE[,CODE]…`.
    static var codes: Self {
        ValueFormat { text throws(UsageError) in
            var codes: [ErrorCode] = []
            for part in text.split(separator: ",", omittingEmptySubsequences: false) {
                codes.append(try ValueFormat<ErrorCode>.choice.parse(String(part)))
            }
            return codes
        }
    }
}
