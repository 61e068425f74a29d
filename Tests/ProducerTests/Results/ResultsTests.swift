import Testing

@testable import Producer

struct ResultsTests {
    @Test func aRunKnowsItsOwnIDs() {
        let run = RunIdentity()
        #expect(run.name.count == 16 && run.name.allSatisfy(\.isHexDigit))
        for number in [0, 1, 63, 64, 1_000_000] { #expect(run.number(inID: run.id(number)) == number) }
        let others = [
            "", run.name, run.name + "-", run.name + "--1", run.name + "-01", run.name + "-+1", "x" + run.id(1),
        ]
        for id in others + [RunIdentity().id(1), run.name + "-99999999999999999999"] {
            #expect(run.number(inID: id) == nil)
        }
    }

    @Test func eachNumberIsRemovedOnce() {
        let set = SequenceSet()
        for number in [0, 1, 63, 64, 65, 1000, 1000] { set.insert(number) }
        #expect(set.count == 6)
        #expect(set.remove(64) && !set.remove(64))
        #expect(!set.remove(2) && !set.remove(1001) && !set.remove(.max) && !set.remove(-1))
        #expect(set.count == 5)
    }

    @Test func readsResults() throws {
        let ok = try #require(
            Answer(json: Array(#"{"id":"1","image":"a.jpg","status":"ok","caption":"a dog","more":{}}"#.utf8)))
        #expect(ok.isOK)
        #expect(ok.tableRow == "a.jpg                             a dog")
        let failed = try #require(
            Answer(
                json: Array(
                    #"{"id":"1","image":"a.jpg","status":"error","error":{"code":"image_corrupt","message":"cut \u001b[2J"}}"#
                        .utf8)))
        #expect(!failed.isOK)
        // A result comes from others: it must not steer the terminal.
        #expect(failed.tableRow == "a.jpg                             error image_corrupt: cut ?[2J")
        for text in ["", "{}", "null", #"{"id":1,"image":"a","status":"ok"}"#, "\u{0}"] {
            #expect(Answer(json: Array(text.utf8)) == nil)
        }
    }
}
