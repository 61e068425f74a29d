import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

@Suite("Dead letters, replayed when their cause is mended", .serialized)
struct ReplayedRequestTests {
    @Test("a broken image is replaced, its request replayed, and captioned", arguments: Trial.Broker.available)
    func mended(_ broker: Trial.Broker) throws {
        let trial = try Trial(broker)
        try trial.storage.write("broken.jpg", Data("no picture".utf8))
        let worker = try trial.startWorker(["--retry-budget", "0s"])
        try trial.enqueue([
            Trial.Request(
                #"{"id":"mine","image":"broken.jpg","metadata":{"a":1}}"#, partition: 2, key: "k",
                headers: [KafkaHeader("traceparent", text: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]),
            Trial.Request("missing.jpg", partition: 1, key: "k"),
        ])
        let reader = try trial.reader(of: trial.resultsTopic)
        #expect(reader.read(within: .seconds(60)) { $0.count == 2 }, "\(worker.logText)")
        let failed = try #require(reader.messages.first { $0.text(ofHeader: "ce_id")?.contains(":2:") == true })
        let letters = try trial.reader(of: trial.deadLettersTopic)
        #expect(letters.read(within: .seconds(30)) { $0.count == 2 })

        try trial.storage.write("broken.jpg", JPEGFile().write(SampleScene.redCar.draw(width: 224, height: 224)))
        for _ in 0..<2 {
            try ChildProcess.run(
                ChildProcess.product("kaption-enqueue"),
                [
                    "--bootstrap-servers", trial.bootstrapServers, "--replay-dead-letters", "--code",
                    "image_unsupported,image_corrupt", "--dead-letters-topic", trial.deadLettersTopic,
                    "--replay-group", trial.requestsTopic + ".replay", "--progress", "none",
                ])
        }
        #expect(reader.read(within: .seconds(60)) { $0.count == 3 }, "\(worker.logText)")
        let replayed = try #require(reader.messages.last)
        let result = try CaptionResult(decoding: replayed.value ?? [])
        #expect(result.id == "mine")
        #expect(result.caption?.isEmpty == false)
        #expect(result.replayOf == failed.text(ofHeader: "ce_id"))
        #expect(result.metadata == Array(#"{"a":1}"#.utf8))
        #expect(replayed.key == failed.key)
        #expect(replayed.text(ofHeader: "traceparent") == failed.text(ofHeader: "traceparent"))
        #expect(replayed.text(ofHeader: "kaption-replay-of") == nil, "Kaption's own headers are not echoed")
        #expect(worker.stop() == 0)
        // The second replay sent nothing: the worker answered three requests in all.
        #expect(worker.logText.contains("captioned=1 "), "\(worker.logText)")
    }

    @Test("one that fails again names the request that failed last") func twice() throws {
        let trial = try Trial(.embedded)
        let worker = try trial.startWorker(["--retry-budget", "0s"])
        try trial.enqueue([Trial.Request("missing.jpg")])
        let reader = try trial.reader(of: trial.resultsTopic)
        for count in 1...3 {
            #expect(reader.read(within: .seconds(60)) { $0.count == count }, "\(worker.logText)")
            let letters = try trial.reader(of: trial.deadLettersTopic)
            #expect(letters.read(within: .seconds(30)) { $0.count == count })
            try ChildProcess.run(
                ChildProcess.product("kaption-enqueue"),
                [
                    "--bootstrap-servers", trial.bootstrapServers, "--replay-dead-letters", "--dead-letters-topic",
                    trial.deadLettersTopic, "--progress", "none",
                ])
        }
        #expect(reader.read(within: .seconds(60)) { $0.count == 4 })
        let results = try reader.results()
        let identifiers = reader.messages.map { $0.text(ofHeader: "ce_id") }
        #expect(results.map(\.replayOf) == [nil] + identifiers.dropLast())
        #expect(results.allSatisfy { $0.failure?.code == .imageNotFound })
        #expect(worker.stop() == 0)
    }
}
