/// What became of the accepted requests, found by comparing the ledger with all that a `read_committed` reader sees.
struct Findings: Sendable, Equatable {
    /// Accepted, not deleted before they were read, and without any result.
    var missing: [Position] = []
    /// Results beyond the first of a request.
    var repeated = 0
    /// Repeats whose `ce_id` is not the first one's: no reader can recognise them.
    var unrecognisable = 0
    /// First results that come after one of a later request of their partition (in one partition of the results).
    var outOfOrder = 0
    /// Results of requests that nobody made, or with another request's id or image.
    var foreign = 0
    /// Dead letters by code, each request once.
    var deadLetters: [String: Int] = [:]
    /// Dead letters beyond the first of a request.
    var deadLettersRepeated = 0
    /// Requests that failed for good and have no dead letter.
    var deadLettersMissing = 0
    /// Requests with a dead letter that have a caption, or no result.
    var deadLettersUnfounded = 0
    /// Failures that no fault accounts for, by code.
    var unexpectedErrors: [String: Int] = [:]

    /// Codes that garbage in place of an image may end with.
    static let codesOfGarbage: Set<String> = ["image_unsupported", "image_corrupt"]

    /// - Parameter results: in the order of each partition.
    init(
        ledger: Ledger.Content, id: (Int) -> String, results: [ResultRecord], deadLetters: [DeadLetterRecord]
    ) {
        let answers = Dictionary(grouping: results, by: \.request)
        missing = ledger.accepted.keys.filter { answers[$0] == nil && !ledger.deleted.contains($0) }
            .sorted { ($0.partition, $0.offset) < ($1.partition, $1.offset) }
        for (request, results) in answers {
            repeated += results.count - 1
            unrecognisable += Set(results.map(\.ceID)).count - 1
            let ids =
                ledger.accepted[request].map { [id($0.number)] } ?? ledger.resent.map(id)
            foreign += results.count { !ids.contains($0.id) }
            for code in Set(results.compactMap(\.errorCode)) {
                let isExpected =
                    Self.codesOfGarbage.contains(code) && ledger.spoiltImages.contains(results[0].image)
                if !isExpected { unexpectedErrors[code, default: 0] += 1 }
            }
        }
        outOfOrder = Self.countOutOfOrder(results)
        judge(deadLetters, answers)
    }

    private mutating func judge(_ letters: [DeadLetterRecord], _ answers: [Position: [ResultRecord]]) {
        let letters = Dictionary(grouping: letters, by: \.request)
        for records in letters.values {
            deadLetters[records[0].errorCode, default: 0] += 1
            deadLettersRepeated += records.count - 1
        }
        for (request, results) in answers where results.allSatisfy({ $0.errorCode != nil }) {
            if letters[request] == nil { deadLettersMissing += 1 }
        }
        deadLettersUnfounded = letters.keys.count { request in
            answers[request]?.contains { $0.errorCode != nil } != true
        }
    }

    /// A request partition's results that stand in one partition of the results have the order of their requests, repeats
    /// left out.
    private static func countOutOfOrder(_ results: [ResultRecord]) -> Int {
        struct Stream: Hashable {
            var source: Int32
            var target: Int32
        }
        var seen: Set<Position> = []
        var highest: [Stream: Int64] = [:]
        var count = 0
        for result in results where seen.insert(result.request).inserted {
            let stream = Stream(source: result.request.partition, target: result.place.partition)
            if let before = highest[stream], result.request.offset < before { count += 1 }
            highest[stream] = max(highest[stream] ?? -1, result.request.offset)
        }
        return count
    }
}
