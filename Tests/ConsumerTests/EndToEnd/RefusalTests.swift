import Foundation
import TestSupport
import Testing

/// What was granted at the start and is not any more: the worker says what to fix, is not ready, and goes on as soon as it may.
@Suite("Refusals in mid-run", .enabled(if: KafkaLocal.isPresent), .serialized)
struct RefusalTests {
    private func start(_ trial: SecuredTrial, _ options: [String] = []) throws -> SecuredTrial.Running {
        try trial.grant(trial.ofWorker)
        let worker = try trial.startWorker(nil, options)
        try trial.enqueue(["a.jpg"])
        #expect(try eventually(within: .seconds(60)) { try trial.count(trial.results) == 1 }, "\(worker.logText)")
        return worker
    }

    /// Takes rights away, sees the worker complain, gives them back, and sees it work.
    private func goesOn(
        _ trial: SecuredTrial, _ worker: SecuredTrial.Running, without entries: [AccessControl.Entry],
        complaint: String
    ) throws {
        let before = try trial.count(trial.results)
        try trial.take(entries)
        try trial.enqueue(["a.jpg"])
        #expect(worker.wrote(complaint), "\(worker.logText)")
        #expect(worker.wrote("access: not ready"))
        try trial.grant(entries)
        #expect(worker.wrote("access: holds again"), "\(worker.logText)")
        // The refused request is answered, and so is a new one.
        try trial.enqueue(["a.jpg"])
        #expect(
            try eventually(within: .seconds(90)) { try trial.count(trial.results) >= before + 2 }, "\(worker.logText)")
        #expect(worker.stop() == 0)
    }

    @Test("the right to write results") func writing() throws {
        let trial = try SecuredTrial()
        let worker = try start(trial)
        try goesOn(
            trial, worker, without: [trial.ofWorker[2]], complaint: "--operation Write --topic \(trial.results)")
    }

    @Test("the right to read requests") func reading() throws {
        let trial = try SecuredTrial()
        let worker = try start(trial)
        try goesOn(
            trial, worker, without: [trial.ofWorker[0]], complaint: "--operation Read --topic \(trial.requests)")
    }

    @Test("the right to be in the group") func group() throws {
        let trial = try SecuredTrial()
        let worker = try start(trial)
        try goesOn(trial, worker, without: [trial.ofWorker[1]], complaint: "--operation Read --group \(trial.name)")
    }

    @Test("the right to write results, exactly once") func writingExactlyOnce() throws {
        let trial = try SecuredTrial()
        try trial.kafka.grantTransactionalID(trial.transactionalID, to: trial.user)
        let worker = try start(trial, ["--delivery", "exactly-once", "--instance-id", "worker-1"])
        try goesOn(
            trial, worker, without: [trial.ofWorker[2]], complaint: "--operation Write --topic \(trial.results)")
    }

    /// Nobody can ask the brokers about it: that they let the worker in otherwise is no reason to be ready.
    @Test("the right to the transactional id") func transactionalID() throws {
        let trial = try SecuredTrial()
        try trial.kafka.grantTransactionalID(trial.transactionalID, to: trial.user)
        let worker = try start(trial, ["--delivery", "exactly-once", "--instance-id", "worker-1"])
        try trial.kafka.takeTransactionalID(trial.transactionalID, from: trial.user)
        try trial.enqueue(["a.jpg"])
        #expect(worker.wrote("access: not ready"), "\(worker.logText)")
        #expect(!worker.wrote("access: holds again", within: .seconds(30)), "\(worker.logText)")
        try trial.kafka.grantTransactionalID(trial.transactionalID, to: trial.user)
        #expect(worker.wrote("access: holds again"), "\(worker.logText)")
        #expect(
            try eventually(within: .seconds(90)) { try trial.count(trial.results) >= 2 }, "\(worker.logText)")
        #expect(worker.stop() == 0)
    }

    /// Tokens of a few seconds, renewed by a file: connections end with their token. Then nobody renews them for a while.
    @Test("a token that nobody renews") func token() throws {
        let trial = try SecuredTrial(user: "bearer-\(UUID().uuidString.prefix(8))")
        let folder = try TemporaryDirectory()
        func renew() throws {
            let next = try folder.write("next", Data(unsecuredToken(subject: trial.user, lifetime: 8).utf8))
            #expect(rename(next.path, folder.url.appendingPathComponent("token").path) == 0)
        }
        try renew()
        try trial.grant(trial.ofWorker)
        let worker = try trial.startWorker(
            [
                "--bootstrap-servers", trial.kafka.sasl, "-X", "security.protocol=SASL_PLAINTEXT", "--oauth-token-file",
                folder.url.appendingPathComponent("token").path,
            ], environment: [:])
        var sent = 0
        let end = ContinuousClock.now + .seconds(24)
        while ContinuousClock.now < end {
            try renew()
            try trial.enqueue(["a.jpg"])
            sent += 1
            #expect(
                try eventually(within: .seconds(30)) {
                    try renew()
                    return try trial.count(trial.results) >= sent
                }, "\(worker.logText)")
        }
        #expect(!worker.logText.contains("refuses"), "\(worker.logText)")

        #expect(worker.wrote("and nobody has put a new one there"), "\(worker.logText)")
        #expect(worker.wrote("access: not ready"))
        try trial.enqueue(["a.jpg"])
        #expect(
            try eventually(within: .seconds(90)) {
                try renew()
                return try trial.count(trial.results) >= sent + 1
            }, "\(worker.logText)")
        #expect(
            try eventually(within: .seconds(60)) {
                try renew()
                return worker.logText.contains("access: holds again")
            }, "\(worker.logText)")
        #expect(worker.stop() == 0)
    }
}
