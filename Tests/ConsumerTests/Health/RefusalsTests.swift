import Testing

@testable import Consumer

@Suite("When a refusal of Kafka's is over") struct RefusalsTests {
    private func time(_ seconds: Int) -> MonotonicTime { MonotonicTime(nanoseconds: 1) + .seconds(seconds) }

    /// Asks at this second, and has the answer a second later.
    private func ask(
        _ refusals: inout Refusals, at second: Int, isAdmitted: Bool
    ) -> (isOver: Bool, next: MonotonicTime?) {
        refusals.ask(at: time(second))
        return (refusals.answer(isAdmitted: isAdmitted, at: time(second + 1)), refusals.nextQuestion)
    }

    @Test("while clients are refused again and again nobody is asked: that the worker may enter would not end it")
    func again() {
        var refusals = Refusals()
        #expect(refusals.nextQuestion == nil)
        for second in stride(from: 0, through: 60, by: 10) {
            refusals.add(at: time(second))
            #expect(refusals.nextQuestion == time(second + 15))
        }
        #expect(refusals.nextQuestion == time(75))
        let answer = ask(&refusals, at: 75, isAdmitted: true)
        #expect(answer.isOver && answer.next == nil)
    }

    @Test("who may not enter asks again after a while")
    func notAdmitted() {
        var refusals = Refusals()
        refusals.add(at: time(0))
        let answer = ask(&refusals, at: 15, isAdmitted: false)
        #expect(!answer.isOver && answer.next == time(21))
        #expect(ask(&refusals, at: 21, isAdmitted: true).isOver)
    }

    @Test("a refusal that comes while the brokers are asked outweighs their answer")
    func meanwhile() {
        var refusals = Refusals()
        refusals.add(at: time(0))
        refusals.ask(at: time(15))
        refusals.add(at: time(16))
        let isOver = refusals.answer(isAdmitted: true, at: time(17))
        #expect(!isOver && refusals.nextQuestion == time(31))
        #expect(ask(&refusals, at: 31, isAdmitted: true).isOver)
    }
}
