import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

@Suite("The circuit breaker in a running worker", .serialized)
struct BreakerTests {
    @Test("it opens on a storage without its images, floods nothing, and closes when the images are there")
    func openAndClose() throws {
        let trial = try Trial(.embedded)
        let worker = try trial.startWorker([
            "--retry-budget", "0s", "--breaker-window", "10", "--breaker-interval", "1s",
        ])
        let results = try trial.reader(of: trial.resultsTopic)
        let deadLetters = try trial.reader(of: trial.deadLettersTopic)
        // More than the window of requests (256) holds.
        let start = ContinuousClock().now
        try trial.enqueue(
            (0..<400).map { Trial.Request("mounted/\($0).jpg", partition: Int32($0 % Trial.partitions), key: "\($0)") })
        #expect(eventually(within: .seconds(60)) { worker.logText.contains("breaker: not ready") }, "\(worker.logText)")
        #expect(deadLetters.read(within: .seconds(60)) { $0.count >= 5 })
        let picture = try JPEGFile().write(SampleScene.beach.draw(width: 64, height: 64))
        for number in 0..<400 { try trial.storage.write("elsewhere/\(number).jpg", picture) }
        // All at once: while only some are there, it may close on one of them and open again.
        let folders = ["elsewhere", "mounted"].map(trial.storage.url.appendingPathComponent)
        try FileManager.default.moveItem(at: folders[0], to: folders[1])
        #expect(results.read(within: .seconds(60)) { $0.count == 400 }, "\(worker.logText)")
        #expect(worker.logText.contains("breaker: holds again"))
        let failed = try results.results().filter { $0.failure != nil }
        // Those that opened it, those on their way out in that moment, and one for each second until it closed.
        let most = 8 + Int((ContinuousClock().now - start) / .seconds(1))
        #expect((5...most).contains(failed.count), "\(failed.count)")
        #expect(failed.allSatisfy { $0.failure?.code == .imageNotFound })
        #expect(worker.stop() == 0)
    }

    @Test("a model that the worker does not have opens it too, and one good request closes it")
    func unknownModel() throws {
        let trial = try Trial(.embedded)
        try trial.storage.write("a.jpg", JPEGFile().write(SampleScene.beach.draw(width: 64, height: 64)))
        let worker = try trial.startWorker(["--breaker-window", "10", "--breaker-interval", "200ms"])
        let results = try trial.reader(of: trial.resultsTopic)
        try trial.enqueue((0..<20).map { _ in Trial.Request(#"{"image":"a.jpg","model":"other"}"#) })
        #expect(eventually(within: .seconds(60)) { worker.logText.contains("breaker: not ready") }, "\(worker.logText)")
        try trial.enqueue([Trial.Request("a.jpg", partition: 1)])
        #expect(eventually(within: .seconds(60)) { worker.logText.contains("breaker: holds again") })
        // Those that were kept go out when it closes, and may open it again; in the end each has its answer.
        #expect(results.read(within: .seconds(60)) { $0.count == 21 }, "\(worker.logText)")
        #expect(try results.results().count { $0.failure?.code == .modelUnknown } == 20)
        #expect(worker.stop() == 0)
    }
}
