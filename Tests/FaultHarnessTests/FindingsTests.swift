import Testing

@testable import FaultHarness

@Suite("What the ledger finds")
struct FindingsTests {
    /// Six requests, three in each of two partitions; number n has the image `n.jpg`.
    private static var ledger: Ledger.Content {
        var content = Ledger.Content(partitionCount: 2)
        for number in 0..<6 {
            content.accepted[position(number)] = Ledger.Accepted(number: number, time: .now)
        }
        return content
    }

    private static func position(_ number: Int) -> Position {
        Position(partition: Int32(number % 2), offset: Int64(number / 2))
    }

    /// The answer to a request, at an offset of the one partition of results.
    private func result(_ number: Int, at offset: Int64, code: String? = nil, timestamp: Int = 5) -> ResultRecord {
        let request = Self.position(number)
        return ResultRecord(
            place: Position(partition: 0, offset: offset),
            ceID: "requests:\(request.partition):\(request.offset):\(timestamp)", request: request, id: "s-\(number)",
            image: "\(number).jpg", worker: "w", errorCode: code)
    }

    private func letter(_ number: Int, _ code: String) -> DeadLetterRecord {
        DeadLetterRecord(request: Self.position(number), errorCode: code)
    }

    private var complete: [ResultRecord] { (0..<6).map { result($0, at: Int64($0)) } }

    private func findings(
        _ results: [ResultRecord], letters: [DeadLetterRecord] = [], ledger: Ledger.Content = Self.ledger
    ) -> Findings {
        Findings(ledger: ledger, id: { "s-\($0)" }, results: results, deadLetters: letters)
    }

    private func objections(_ findings: Findings) -> (atLeastOnce: Int, exactlyOnce: Int) {
        (
            DeliveryMode.atLeastOnce.objections(to: findings).count,
            DeliveryMode.exactlyOnce.objections(to: findings).count
        )
    }

    @Test("one result for each request is what was promised")
    func complete_() {
        let findings = findings(complete)
        #expect(objections(findings) == (0, 0))
        #expect(findings.repeated == 0)
        #expect(findings.missing.isEmpty)
    }

    @Test("a missing result is a broken promise in both modes, one that was deleted unread is not")
    func missing() {
        let findings = findings(complete.filter { $0.id != "s-3" })
        #expect(findings.missing == [Self.position(3)])
        #expect(objections(findings) == (1, 1))
        var ledger = Self.ledger
        ledger.deleted = [Self.position(3)]
        #expect(objections(self.findings(complete.filter { $0.id != "s-3" }, ledger: ledger)) == (0, 0))
    }

    @Test("a doubled result breaks exactly-once alone")
    func doubled() {
        let findings = findings(complete + [result(2, at: 6)])
        #expect(findings.repeated == 1)
        #expect(findings.unrecognisable == 0)
        #expect(findings.outOfOrder == 0)
        #expect(objections(findings) == (0, 1))
    }

    @Test("a repeat under another ce_id cannot be recognised, and breaks both")
    func unrecognisable() {
        let findings = findings(complete + [result(2, at: 6, timestamp: 6)])
        #expect(findings.unrecognisable == 1)
        #expect(objections(findings) == (1, 2))
    }

    @Test("results out of order are found, within a partition of the requests")
    func outOfOrder() {
        var results = complete
        results.swapAt(2, 4)
        #expect(findings(results).outOfOrder == 1)
        #expect(objections(findings(results)) == (1, 1))
        // Requests of different partitions have no order.
        results = complete
        results.swapAt(2, 3)
        #expect(findings(results).outOfOrder == 0)
    }

    @Test("a result in two partitions of the results has no order between them")
    func separatePartitions() {
        var results = complete
        results[4].place = Position(partition: 1, offset: 0)
        results.insert(results.remove(at: 4), at: 0)
        #expect(findings(results).outOfOrder == 0)
    }

    @Test("an answer to nobody's request is found")
    func foreign() {
        var stranger = result(5, at: 6)
        stranger.request = Position(partition: 1, offset: 99)
        #expect(findings(complete + [stranger]).foreign == 1)
        // A request that was sent twice may stand in the topic twice.
        var ledger = Self.ledger
        ledger.resent = [5]
        #expect(findings(complete + [stranger], ledger: ledger).foreign == 0)
        var swapped = complete
        swapped[0].id = "s-1"
        #expect(findings(swapped).foreign == 1)
    }

    @Test("failures are expected of spoilt images alone, and need their dead letters")
    func deadLetters() {
        var results = complete
        results[1] = result(1, at: 1, code: "image_unsupported")
        let unexplained = findings(results, letters: [letter(1, "image_unsupported")])
        #expect(unexplained.unexpectedErrors == ["image_unsupported": 1])
        #expect(objections(unexplained) == (1, 1))

        var ledger = Self.ledger
        ledger.spoiltImages = ["1.jpg"]
        let explained = findings(results, letters: [letter(1, "image_unsupported")], ledger: ledger)
        #expect(objections(explained) == (0, 0))
        #expect(explained.deadLetters == ["image_unsupported": 1])

        let without = findings(results, ledger: ledger)
        #expect(without.deadLettersMissing == 1)
        #expect(objections(without) == (1, 1))

        let twice = findings(
            results, letters: [letter(1, "image_unsupported"), letter(1, "image_unsupported")], ledger: ledger)
        #expect(twice.deadLettersRepeated == 1)
        #expect(objections(twice) == (0, 1))

        results[1] = result(1, at: 1, code: "image_not_found")
        let wrong = findings(results, letters: [letter(1, "image_not_found")], ledger: ledger)
        #expect(wrong.unexpectedErrors == ["image_not_found": 1])
    }

    @Test("a dead letter of a captioned request is only the fault of exactly-once")
    func unfounded() {
        let findings = findings(complete, letters: [letter(4, "image_corrupt")])
        #expect(findings.deadLettersUnfounded == 1)
        #expect(objections(findings) == (0, 1))
    }

    @Test("where a request stood is read from a ce_id")
    func ceID() {
        #expect(Position(ceID: "captions.requests:3:42:1767225600000") == Position(partition: 3, offset: 42))
        for text in ["", "a:b:c:d", "t:1:2", "t:1:2:3:4", "t:1:x:3"] { #expect(Position(ceID: text) == nil) }
    }
}
