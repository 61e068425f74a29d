import CommandLineOptions
import Messaging
import Telemetry

/// What must be right in Kafka before the worker begins: brokers that answer, and topics that are there.
struct KafkaSetup {
    let bootstrapServers: String
    let admin: KafkaAdmin
    let stop: StopRequest
    let logger: Logger

    struct Topics {
        var requests: [String]
        var results: String
        var deadLetters: String
        var partitions: Int
    }

    /// Waits for Kafka and makes the topics that are missing. Nil when the worker is stopped meanwhile.
    func prepare(_ topics: Topics) throws -> Destination? {
        guard let cluster = try untilReachable({ try admin.metadata(timeout: .seconds(2)) }) else { return nil }
        logger.info(
            "Kafka is there",
            metadata: ["cluster": .string(cluster.clusterID), "brokers": .integer(cluster.brokerCount)])
        let requests = topics.requests.map { TopicSpecification($0, partitions: topics.partitions) }
        guard let sources = try untilReachable({ try admin.ensureTopics(requests, timeout: .seconds(10)) }) else {
            return nil
        }
        // A dead letter is its request and our headers; a result can carry the request's key, headers and metadata.
        let largest = (sources.compactMap(\.maximumMessageBytes).max() ?? 1 << 20) + 64 << 10
        let targets = [topics.results, topics.deadLetters].map {
            TopicSpecification($0, partitions: topics.partitions, maximumMessageBytes: largest)
        }
        guard let sinks = try untilReachable({ try admin.ensureTopics(targets, timeout: .seconds(10)) }) else {
            return nil
        }
        for topic in sources + sinks { log(topic) }
        let deadLetters = sinks.first { $0.name == topics.deadLetters }
        return Destination(
            results: topics.results, deadLetters: topics.deadLetters,
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
    private func untilReachable<Answer>(_ ask: () throws -> Answer) throws -> Answer? {
        while !stop.isRequested {
            do {
                return try ask()
            } catch let error as KafkaError where error.category == .unreachable || error.isRetriable {
                logger.warning(
                    "waiting for Kafka",
                    metadata: ["bootstrap_servers": .string(bootstrapServers), "error": .string("\(error)")])
                if stop.wait(for: .seconds(1)) { return nil }
            } catch let error as KafkaError {
                let isRefused = error.category == .authentication || error.category == .authorization
                throw WorkerFailure(
                    isRefused ? .kafka : .failed,
                    isRefused ? "Kafka refuses this worker: \(error)" : "Kafka cannot be used: \(error)")
            }
        }
        return nil
    }
}
