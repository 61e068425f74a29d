import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

@Suite("Storage that goes away, or hangs, under a running worker", .serialized)
struct StorageFaultTests {
    private let trial: Trial
    private let picture: Data
    private var storage: URL { trial.storage.url }
    private var hidden: URL { URL(fileURLWithPath: storage.path + "-hidden") }

    init() throws {
        trial = try Trial(.embedded)
        picture = try JPEGFile().write(SampleScene.beach.draw(width: 224, height: 224))
        try trial.storage.write("a.jpg", picture)
    }

    private func hide() throws {
        try FileManager.default.moveItem(at: storage, to: hidden)
        try FileManager.default.createDirectory(at: storage, withIntermediateDirectories: false)
    }

    private func requests(_ images: [String]) -> [Trial.Request] {
        images.enumerated().map { Trial.Request($1, partition: Int32($0 % Trial.partitions)) }
    }

    /// Waits for a line that tells of a condition.
    private func waits(_ worker: Trial.Worker, for line: String) -> Bool {
        eventually(within: .seconds(30)) { worker.logText.contains(line) }
    }

    @Test("hidden behind an empty directory: nothing is dead-lettered, and work goes on when it is back")
    func hiddenStorage() throws {
        let worker = try trial.startWorker(["--retry-budget", "100ms"])
        let results = try trial.reader(of: trial.resultsTopic)
        let deadLetters = try trial.reader(of: trial.deadLettersTopic)
        try trial.enqueue(requests(Array(repeating: "a.jpg", count: 8)))
        #expect(results.read(within: .seconds(30)) { $0.count == 8 }, "\(worker.logText)")
        try hide()
        // Images that are not there yet are asked for; one of another partition that is there is not held back.
        try trial.enqueue(requests((0..<7).map { "new-\($0).jpg" } + ["a.jpg"]))
        #expect(waits(worker, for: "storage: not ready"), "\(worker.logText)")
        // Many times the retry budget.
        #expect(!deadLetters.read(within: .seconds(2)) { !$0.isEmpty })
        #expect(!results.read(within: .milliseconds(100)) { $0.count > 9 })
        for number in 0..<7 {
            try picture.write(to: hidden.appendingPathComponent("new-\(number).jpg"))
        }
        try FileManager.default.removeItem(at: storage)
        try FileManager.default.moveItem(at: hidden, to: storage)
        #expect(results.read(within: .seconds(60)) { $0.count == 16 }, "\(worker.logText)")
        #expect(try results.results().allSatisfy { $0.failure == nil })
        #expect(waits(worker, for: "storage: holds again"))
        #expect(!deadLetters.read(within: .milliseconds(500)) { !$0.isEmpty })
        #expect(worker.stop() == 0)
    }

    @Test("a new storage is worked from if it has the sentinel; an image that is missing there is answered so")
    func sentinel() throws {
        try trial.storage.write(".sentinel", Data("the photographs".utf8))
        let worker = try trial.startWorker(["--retry-budget", "100ms", "--storage-sentinel", ".sentinel"])
        let results = try trial.reader(of: trial.resultsTopic)
        try hide()
        try trial.enqueue(requests(["new.jpg", "missing.jpg"]))
        #expect(waits(worker, for: "storage: not ready"), "\(worker.logText)")
        #expect(!results.read(within: .seconds(1)) { !$0.isEmpty })
        try trial.storage.write("new.jpg", picture)
        try trial.storage.write(".sentinel", Data("the photographs".utf8))
        #expect(results.read(within: .seconds(60)) { $0.count == 2 }, "\(worker.logText)")
        let answers = try results.results()
        #expect(answers.first { $0.image == "new.jpg" }?.failure == nil)
        #expect(answers.first { $0.image == "missing.jpg" }?.failure?.code == .imageNotFound)
        #expect(worker.stop() == 0)
        try FileManager.default.removeItem(at: hidden)
    }

    @Test("a worker that finds no sentinel at the start waits for it")
    func startWithoutSentinel() throws {
        let files = try TemporaryDirectory()
        let log = files.url.appendingPathComponent("log")
        let process = try ChildProcess(
            ChildProcess.product("kaption-worker"),
            [
                "--bootstrap-servers", trial.bootstrapServers, "--storage", storage.path, "--model",
                SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path, "--storage-sentinel",
                "here",
            ], errors: log)
        let worker = Trial.Worker(process: process, log: log)
        #expect(waits(worker, for: "waiting for the storage"), "\(worker.logText)")
        try trial.storage.write("here", Data())
        #expect(waits(worker, for: "Kafka is there"), "\(worker.logText)")
        #expect(worker.stop() == 0)
    }

    @Test("while it is away the worker still ends in good order, and leaves what waits to the next")
    func stopWhileAway() throws {
        let first = try trial.startWorker(["--retry-budget", "100ms"])
        let results = try trial.reader(of: trial.resultsTopic)
        try hide()
        try trial.enqueue(requests(["new.jpg"]))
        #expect(waits(first, for: "storage: not ready"), "\(first.logText)")
        #expect(first.stop() == 0)
        #expect(first.logText.contains("left will be done by another worker"))
        try trial.storage.write("new.jpg", picture)
        let second = try trial.startWorker()
        #expect(results.read(within: .seconds(60)) { $0.count == 1 }, "\(second.logText)")
        #expect(try results.results().first?.failure == nil)
        #expect(second.stop() == 0)
        try FileManager.default.removeItem(at: hidden)
    }

    @Test("a read that hangs holds up nobody else, is answered as unreadable, and does not keep the worker from ending")
    func hungRead() throws {
        try trial.storage.write("stuck.jpg", picture)
        let worker = try trial.startWorker(
            ["--image-timeout", "500ms", "--io-threads", "1"], hooks: "hang-read-on=stuck")
        let results = try trial.reader(of: trial.resultsTopic)
        try trial.enqueue(requests(["stuck.jpg"] + Array(repeating: "a.jpg", count: 11)))
        #expect(results.read(within: .seconds(60)) { $0.count == 12 }, "\(worker.logText)")
        let stuck = try results.results().filter { $0.image == "stuck.jpg" }
        #expect(stuck.map(\.failure?.code) == [.imageUnreadable])
        #expect(stuck.first?.attempts == 2)
        #expect(try results.results().count { $0.failure == nil } == 11)
        #expect(worker.stop() == 0)
    }
}
