import Foundation
import TestSupport
import Testing

/// The table of ACLs in docs/operating.md: with exactly these each program works, and without any one of them it says which.
@Suite("Rights", .enabled(if: KafkaLocal.isPresent), .serialized)
struct AccessRightsTests {
    typealias Entry = AccessControl.Entry

    private func works(_ trial: SecuredTrial, _ options: [String] = []) throws {
        let worker = try trial.startWorker(nil, options)
        // Both topics that it writes to are written to.
        try trial.enqueue(["a.jpg", "../away.jpg"])
        #expect(
            try eventually(within: .seconds(60)) {
                try trial.count(trial.results) >= 2 && trial.count(trial.deadLetters) >= 1
            }, "\(worker.logText)")
        #expect(worker.stop() == 0)
        #expect(!worker.logText.contains("refuses"), "\(worker.logText)")
    }

    private func isRefused(_ outcome: SecuredTrial.Outcome, naming right: String, user: String) {
        #expect(outcome.exitCode == 3, "\(outcome.log)")
        #expect(outcome.log.contains("--allow-principal User:\(user) \(right)"), "\(outcome.log)")
    }

    @Test("a worker needs four") func worker() throws {
        let trial = try SecuredTrial()
        try trial.grant(trial.ofWorker)
        try works(trial)
        for (entry, right) in [
            (trial.ofWorker[0], "--operation Read --topic \(trial.requests)"),
            (trial.ofWorker[1], "--operation Read --group \(trial.name)"),
            (trial.ofWorker[2], "--operation Write --topic \(trial.results)"),
            (trial.ofWorker[3], "--operation Write --topic \(trial.deadLetters)"),
        ] {
            try trial.take([entry])
            isRefused(try trial.runWorker(), naming: right, user: trial.user)
            try trial.grant([entry])
        }
    }

    @Test("a worker that makes its topics needs three more") func creation() throws {
        let trial = try SecuredTrial(makesTopics: false)
        let creating = [trial.requests, trial.results, trial.deadLetters].map { Entry(.create, .topic($0)) }
        try trial.grant(trial.ofWorker + creating.dropFirst())
        isRefused(
            try trial.runWorker(), naming: "--operation Create --topic \(trial.requests)", user: trial.user)
        try trial.grant([creating[0]])
        try works(trial)
    }

    @Test("exactly-once delivery needs its transactional id") func exactlyOnce() throws {
        let trial = try SecuredTrial()
        try trial.grant(trial.ofWorker)
        let options = ["--delivery", "exactly-once", "--instance-id", "worker-1"]
        let outcome = try trial.runWorker(options)
        #expect(outcome.exitCode == 3, "\(outcome.log)")
        #expect(
            outcome.log.contains("--operation Write --operation Describe --transactional-id \(trial.transactionalID)"),
            "\(outcome.log)")
        try trial.kafka.grantTransactionalID(trial.transactionalID, to: trial.user)
        try works(trial, options)
    }

    @Test("enqueuing needs one; waiting for the results two more") func enqueue() throws {
        let trial = try SecuredTrial()
        let images = ["--storage", trial.storage.url.path, "--topic", trial.requests, "--output", "json", "a.jpg"]
        isRefused(
            try trial.runEnqueue(images), naming: "--operation Write --topic \(trial.requests)", user: trial.user)
        try trial.grant([Entry(.write, .topic(trial.requests))])
        #expect(try trial.runEnqueue(images).exitCode == 0)

        let waiting = images + ["--results-topic", trial.results, "--wait"]
        isRefused(
            try trial.runEnqueue(waiting), naming: "--operation Read --topic \(trial.results)", user: trial.user)
        try trial.grant([Entry(.read, .topic(trial.results))])
        // The worker is another user.
        let other = try SecuredTrial()
        other.adoptTopics(of: trial)
        try other.grant(other.ofWorker)
        let worker = try other.startWorker()
        let outcome = try trial.runEnqueue(waiting)
        #expect(outcome.exitCode == 0, "\(outcome.log) \(worker.logText)")
        #expect(worker.stop() == 0)
    }

    @Test("replaying needs three") func replay() throws {
        let trial = try SecuredTrial()
        let worker = try SecuredTrial()
        worker.adoptTopics(of: trial)
        try worker.grant(worker.ofWorker)
        try worker.fail("missing.jpg")

        let group = trial.name + ".replay"
        let entries = [
            Entry(.read, .topic(trial.deadLetters)), Entry(.read, .group(group)),
            Entry(.write, .topic(trial.requests)),
        ]
        let options = [
            "--replay-dead-letters", "--dead-letters-topic", trial.deadLetters, "--topic", trial.requests,
            "--replay-group", group, "--output", "json",
        ]
        try trial.grant(entries)
        for (entry, right) in zip(
            entries,
            [
                "--operation Read --topic \(trial.deadLetters)", "--operation Read --group \(group)",
                "--operation Write --topic \(trial.requests)",
            ])
        {
            try trial.take([entry])
            isRefused(try trial.runEnqueue(options), naming: right, user: trial.user)
            try trial.grant([entry])
        }
        let outcome = try trial.runEnqueue(options)
        #expect(outcome.exitCode == 0, "\(outcome.log)")
        #expect(try trial.read(trial.requests).contains { $0.text(ofHeader: "kaption-replay-of") != nil })
    }
}
