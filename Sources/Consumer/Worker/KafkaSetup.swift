import CommandLineOptions
import Messaging
import Telemetry

/// What must be right in Kafka before the worker begins: brokers that answer, and topics that are there.
struct KafkaSetup {
    let configuration: KafkaConfiguration
    let rights: WorkerRights
    /// Of topics that are made.
    let partitions: Int
    let admin: KafkaAdmin
    let readiness: Readiness
    let stop: StopRequest
    let logger: Logger
    private let limiter = LogLimiter(interval: .seconds(30))

    /// Waits for Kafka, asks for what the worker may do, and makes the topics that are missing. Nil when the worker is
    /// stopped meanwhile.
    func prepare() throws -> Destination? {
        guard let cluster = try untilReachable({ try admin.metadata(timeout: .seconds(2)) }) else { return nil }
        logger.info(
            "Kafka is there",
            metadata: ["cluster": .string(cluster.clusterID), "brokers": .integer(cluster.brokerCount)])
        if !cluster.isMock {
            let mayEnter: Void? = try untilReachable {
                try admin.checkAccess(topics: rights.topics, group: rights.group, timeout: .seconds(10))
            }
            if mayEnter == nil { return nil }
        }
        let requests = rights.requests.map { TopicSpecification($0, partitions: partitions) }
        guard
            let sources = try untilReachable(
                needing: rights.creating, { try admin.ensureTopics(requests, timeout: .seconds(10)) })
        else { return nil }
        // A dead letter is its request and our headers; a result can carry the request's key, headers and metadata.
        // It is an Int32 to the brokers, and librdkafka takes a billion.
        let largest = min((sources.compactMap(\.maximumMessageBytes).max() ?? 1 << 20) + 64 << 10, 1_000_000_000)
        let targets = [rights.results, rights.deadLetters].map {
            TopicSpecification($0, partitions: partitions, maximumMessageBytes: largest)
        }
        guard
            let sinks = try untilReachable(
                needing: rights.creating, { try admin.ensureTopics(targets, timeout: .seconds(10)) })
        else { return nil }
        for topic in sources + sinks { log(topic) }
        let deadLetters = sinks.first { $0.name == rights.deadLetters }
        return Destination(
            results: rights.results, deadLetters: rights.deadLetters,
            deadLetterBytes: deadLetters?.maximumMessageBytes ?? 1_000_000,
            batchBytes: min(1_000_000, sinks.compactMap(\.maximumMessageBytes).min() ?? 1_000_000),
            clusterID: cluster.clusterID, requestPartitions: sources.reduce(0) { $0 + $1.partitions })
    }

    private func log(_ topic: TopicState) {
        let metadata: Logger.Metadata = ["topic": .string(topic.name), "partitions": .integer(topic.partitions)]
        if topic.wasCreated { logger.notice("topic made", metadata: metadata) }
        for warning in topic.warnings { logger.warning("topic: \(warning)", metadata: metadata) }
    }

    /// Asks again for as long as no broker answers, and says so. What waiting does not help with is thrown.
    private func untilReachable<Answer>(
        needing needed: [KafkaRight]? = nil, _ ask: () throws -> Answer
    ) throws -> Answer? {
        while !stop.isRequested {
            do {
                let answer = try ask()
                readiness.meet(.kafka)
                return answer
            } catch let error as KafkaError where error.category == .unreachable || error.isRetriable {
                readiness.miss(.kafka, because: "\(error)")
                if let suppressed = limiter.admit(error.name) {
                    logger.warning(
                        "waiting for Kafka",
                        metadata: [
                            "bootstrap_servers": .string(configuration.bootstrapServers), "error": .string("\(error)"),
                            "suppressed": .integer(suppressed),
                        ])
                }
                if stop.wait(for: .seconds(1)) { return nil }
            } catch let error as KafkaError {
                throw refusal(error, needing: needed) ?? WorkerFailure(.failed, "Kafka cannot be used: \(error)")
            }
        }
        return nil
    }

    /// How the worker ends when Kafka refuses it before it has begun; nil for an error that is no refusal.
    func refusal(_ error: KafkaError) -> WorkerFailure? { refusal(error, needing: nil) }

    private func refusal(_ error: KafkaError, needing needed: [KafkaRight]?) -> WorkerFailure? {
        configuration.remedy(for: error, needing: needed ?? rights.reading + rights.writing).map {
            WorkerFailure(.kafka, "Kafka refuses this worker: \(error). What to do: \($0)")
        }
    }
}
