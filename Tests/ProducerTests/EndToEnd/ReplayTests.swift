import Foundation
import Messaging
import TestSupport
import Testing

/// `kaption-enqueue --replay-dead-letters`, with dead letters as a worker writes them.
@Suite(.serialized) struct ReplayTests {
    enum Broker: String, CaseIterable, Sendable {
        case embedded, apacheKafka

        static let available = allCases.filter { $0 == .embedded || KafkaLocal.isPresent }
    }

    /// Topics of one test.
    struct Bench {
        let broker: any TestBroker
        let name = "replay-\(UUID().uuidString.prefix(8).lowercased())"
        var requests: String { name + ".requests" }
        var deadLetters: String { name + ".dead" }

        init(_ kind: Broker) throws {
            let topics = [name + ".requests", name + ".dead", name + ".other"]
            broker =
                try kind == .embedded ? EmbeddedTestBroker(topics: topics.map { "\($0):2" }) : KafkaLocal.shared()
            _ = try KafkaAdmin(configuration).ensureTopics(
                topics.map { TopicSpecification($0, partitions: 2) }, timeout: .seconds(30))
        }

        var configuration: KafkaConfiguration { KafkaConfiguration(bootstrapServers: broker.bootstrapServers) }

        /// The request that failed as number `number`: its value is no text.
        func request(_ number: Int) -> KafkaMessage {
            KafkaMessage(
                topic: requests, partition: Int32(number % 2), offset: Int64(number), timestamp: 1000 + Int64(number),
                key: Array("k\(number)".utf8), value: [0, 255, UInt8(number % 256)],
                headers: [KafkaHeader("mine", [1, UInt8(number % 256)])])
        }

        /// When letter 0 failed, in milliseconds: a whole second ten minutes ago. Kafka deletes what is older than a week.
        static let beginning = (Int64(Date().timeIntervalSince1970) - 600) * 1000

        /// Milliseconds after the beginning, at most 999, as an option wants a time.
        static func time(_ milliseconds: Int) -> String {
            let second = Date(timeIntervalSince1970: Double(beginning / 1000)).ISO8601Format()
            return second.dropLast() + String(format: ".%03dZ", milliseconds)
        }

        /// Writes dead letters of these numbers, each for the reason given, as many milliseconds after the beginning.
        func fail(
            _ numbers: Range<Int>, maximumBytes: Int = 1 << 20, from request: ((Int) -> KafkaMessage)? = nil,
            _ code: (Int) -> ErrorCode
        ) throws {
            let producer = try KafkaProducer(configuration) { #expect($0.error == nil) }
            for number in numbers {
                let letter = DeadLetter(failure: RequestFailure(code(number), "why"), attempts: 1, worker: "w")
                let record = letter.record(for: (request ?? self.request)(number), maximumBytes: maximumBytes)
                try producer.produce(
                    record, topic: deadLetters, partition: Int32(number / 2 % 2),
                    timestamp: Self.beginning + Int64(number))
            }
            #expect(producer.close(deadline: .seconds(20)))
        }

        func start(_ arguments: String...) throws -> EnqueueProcess {
            try EnqueueProcess(
                [
                    "--bootstrap-servers", broker.bootstrapServers, "--replay-dead-letters", "--dead-letters-topic",
                    deadLetters, "--replay-group", name, "--progress", "none", "--output", "json",
                ] + arguments)
        }

        /// All that lies on a topic now.
        func read(_ topic: String) throws -> [KafkaMessage] {
            let consumer = try KafkaConsumer(
                configuration, groupID: name + ".reader", properties: ["enable.partition.eof": "true"])
            try consumer.assign(
                (0..<Int32(2)).map {
                    TopicPartitionOffset(TopicPartition(topic: topic, partition: $0), offset: -2)
                })
            var messages: [KafkaMessage] = []
            var ends = 0
            let isRead = eventually(within: .seconds(30)) {
                switch consumer.poll(timeoutMilliseconds: 50) {
                case .message(let message): messages.append(message)
                case .partitionEnd: ends += 1
                default: break
                }
                return ends == 2
            }
            #expect(isRead)
            #expect(consumer.close(deadline: .seconds(10)))
            return messages
        }

        /// The numbers of the requests that were sent again, in ascending order.
        func replayed(_ topic: String? = nil) throws -> [Int] {
            try read(topic ?? requests).compactMap { message in
                message.text(ofHeader: "kaption-replay-of")?.split(separator: ":").dropFirst(2).first.flatMap {
                    Int($0)
                }
            }.sorted()
        }
    }

    private func summary(_ outcome: EnqueueProcess.Outcome) throws -> [String: Any] {
        let last = try #require(outcome.lines.last, "\(outcome.errors)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Any])
        #expect(object["exit_code"] as? Int == Int(outcome.status))
        return object
    }

    private static let codes: [ErrorCode] = [.imageNotFound, .imageCorrupt, .imageUnreadable]

    @Test(
        "whatever filters come one after another, each request is sent once, and as it was",
        arguments: Broker.available)
    func filters(_ kind: Broker) throws {
        let bench = try Bench(kind)
        try bench.fail(0..<60) { Self.codes[$0 % 3] }
        let first = try bench.start("--code", "image_not_found").wait()
        #expect(first.status == 0, "\(first.errors)")
        #expect(try summary(first)["replayed"] as? Int == 20)
        #expect(try summary(first)["left"] as? Int == 40)
        #expect(try bench.replayed() == (0..<60).filter { $0 % 3 == 0 })

        let second = try bench.start("--since", Bench.time(30), "--until", Bench.time(50)).wait()
        #expect(second.status == 0, "\(second.errors)")
        #expect(try bench.replayed() == (0..<60).filter { $0 % 3 == 0 || (30..<50).contains($0) })

        try bench.fail(60..<70) { _ in .internal }
        let third = try bench.start("--code", "image_corrupt,internal").wait()
        let codes = try #require(try summary(third)["codes"] as? [String: [String: Int]])
        #expect(codes["internal"]?["replayed"] == 10)
        #expect(codes["image_unreadable"]?["left"] == 14)
        let fourth = try bench.start().wait()
        #expect(try summary(fourth)["replayed"] as? Int == 14)
        #expect(try bench.replayed() == Array(0..<70))
        let fifth = try bench.start().wait()
        #expect(try summary(fifth)["replayed"] as? Int == 0)
        #expect(fifth.status == 0)

        let sent = try bench.read(bench.requests)
        #expect(sent.count == 70)
        for message in sent {
            let replayOf = try #require(message.text(ofHeader: "kaption-replay-of"))
            let number = try #require(replayOf.split(separator: ":").dropFirst(2).first.flatMap { Int($0) })
            let original = bench.request(number)
            #expect(replayOf == "\(original.topic):\(original.partition):\(number):\(1000 + number)")
            #expect(message.key == original.key)
            #expect(message.value == original.value)
            #expect(message.headers == original.headers + [KafkaHeader("kaption-replay-of", text: replayOf)])
        }
    }

    @Test("a dry run lists what would be sent, and changes nothing", arguments: Broker.available)
    func dryRun(_ kind: Broker) throws {
        let bench = try Bench(kind)
        try bench.fail(0..<9) { Self.codes[$0 % 3] }
        for _ in 0..<2 {
            let outcome = try bench.start("--dry-run", "--code", "image_corrupt").wait()
            #expect(outcome.status == 0, "\(outcome.errors)")
            #expect(try summary(outcome)["to_replay"] as? Int == 3)
            let listed = try outcome.lines.dropLast().map {
                try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: String])
            }
            #expect(Set(listed.compactMap { $0["replay_of"] }).count == 3)
            #expect(listed.allSatisfy { $0["code"] == "image_corrupt" && $0["topic"] == bench.requests })
        }
        #expect(try bench.read(bench.requests).isEmpty)
        #expect(try summary(try bench.start().wait())["replayed"] as? Int == 9)
    }

    @Test("what cannot be sent again is told once, with the reason; the others are sent")
    func impossible() throws {
        let bench = try Bench(.embedded)
        try bench.fail(0..<4) { _ in .internal }
        try bench.fail(4..<6, maximumBytes: 0) { _ in .requestTooLarge }
        let producer = try KafkaProducer(bench.configuration) { #expect($0.error == nil) }
        try producer.produce(topic: bench.deadLetters, partition: 0, value: [1])
        #expect(producer.close(deadline: .seconds(20)))
        let outcome = try bench.start().wait()
        #expect(outcome.status == 1)
        #expect(try summary(outcome)["impossible"] as? Int == 3)
        #expect(try summary(outcome)["replayed"] as? Int == 4)
        #expect(outcome.errors.contains("too large"))
        #expect(outcome.errors.contains("not a dead letter"))
        let again = try bench.start().wait()
        #expect(again.status == 0)
        #expect(try summary(again)["impossible"] as? Int == 0)
    }

    @Test("requests of a topic that is gone are left until there is somewhere to send them")
    func missingTopic() throws {
        let bench = try Bench(.embedded)
        let elsewhere: (Int) -> KafkaMessage = { number in
            var message = bench.request(number)
            message.topic = "gone.\(bench.name)"
            return message
        }
        try bench.fail(0..<3, from: elsewhere) { _ in .internal }
        let outcome = try bench.start().wait()
        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("gone.\(bench.name)"))
        #expect(try summary(outcome)["left"] as? Int == 3)
        let given = try bench.start("--topic", bench.name + ".other").wait()
        #expect(given.status == 0, "\(given.errors)")
        #expect(try bench.replayed(bench.name + ".other") == [0, 1, 2])
        #expect(try bench.start("--topic", bench.deadLetters).wait().status == 2)
    }

    @Test("ended in mid-run by SIGTERM, the next run does the rest, each once", arguments: Broker.available)
    func interruption(_ kind: Broker) throws {
        let bench = try Bench(kind)
        try bench.fail(0..<200) { _ in .internal }
        let program = try bench.start("--rate", "50")
        #expect(try eventually { try bench.replayed().count >= 20 })
        program.send(signal: SIGTERM)
        #expect(program.wait().status == 143)
        let sent = try bench.replayed().count
        #expect(sent < 200)
        let rest = try bench.start().wait()
        #expect(try summary(rest)["replayed"] as? Int == 200 - sent)
        #expect(try bench.replayed() == Array(0..<200))
    }

    @Test(
        "killed in mid-run, the next run loses nothing and repeats a second's at most",
        .enabled(if: KafkaLocal.isPresent))
    func kill() throws {
        let bench = try Bench(.apacheKafka)
        try bench.fail(0..<300) { _ in .internal }
        let program = try bench.start("--rate", "50", "-X", "session.timeout.ms=6000")
        #expect(try eventually { try bench.replayed().count >= 100 })
        program.send(signal: SIGKILL)
        _ = program.wait()
        let rest = try bench.start().wait()
        #expect(rest.status == 0, "\(rest.errors)")
        let replayed = try bench.replayed()
        #expect(Set(replayed) == Set(0..<300))
        #expect(replayed.count <= 300 + 120)
    }

    @Test("two at once share the dead letters", .enabled(if: KafkaLocal.isPresent))
    func together() throws {
        let bench = try Bench(.apacheKafka)
        try bench.fail(0..<300) { _ in .internal }
        let programs = try [bench.start("--rate", "60"), bench.start("--rate", "60")]
        for program in programs { #expect(program.wait().status == 0) }
        #expect(try bench.replayed() == Array(0..<300))
    }

    @Test("options for images are refused")
    func usage() throws {
        for arguments in [["a.jpg"], ["--wait"], ["--beam", "2"], ["--code", "no_such_code"]] {
            let outcome = try EnqueueProcess.run(
                ["--bootstrap-servers", "127.0.0.1:9", "--replay-dead-letters"] + arguments)
            #expect(outcome.status == 2, "\(arguments)")
        }
        let outcome = try EnqueueProcess.run(["--bootstrap-servers", "127.0.0.1:9", "--storage", "/", "--dry-run", "a"])
        #expect(outcome.status == 2)
        #expect(outcome.errors.contains("--replay-dead-letters"))
    }
}
