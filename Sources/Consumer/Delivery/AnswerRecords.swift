import Messaging

/// Where answers go.
struct Destination: Sendable {
    var results: String
    var deadLetters: String
    /// Of the dead-letters topic.
    var deadLetterBytes: Int
    /// What both topics take of one batch of records.
    var batchBytes: Int
    var clusterID: String
    /// Of all topics of requests together.
    var requestPartitions = 0

    /// Whether Kafka is librdkafka's in-memory broker, which takes transactions without meaning them.
    var isMock: Bool { clusterID.hasPrefix("mockCluster") }

    func topic(_ kind: DeliveryToken.Kind) -> String { kind == .result ? results : deadLetters }
}

extension Answer {
    /// The messages that it is produced as.
    var kinds: [DeliveryToken.Kind] { result.failure == nil ? [.result] : [.result, .deadLetter] }

    /// - Parameter isReduced: Kafka refused the message for its size: a result then says nothing of the request but its id and
    ///   place, and a dead letter goes without its value.
    func record(_ kind: DeliveryToken.Kind, for destination: Destination, isReduced: Bool) -> KafkaRecord {
        switch kind {
        case .result:
            let answer = isReduced ? reduced : self
            return answer.result.record(answering: answer.message, clusterID: destination.clusterID)
        case .deadLetter:
            let failure = result.failure ?? RequestFailure(.internal, "unknown")
            return DeadLetter(failure: failure, attempts: result.attempts, worker: result.worker)
                .record(for: message, maximumBytes: isReduced ? 0 : destination.deadLetterBytes)
        }
    }

    private var reduced: Answer {
        var result = result
        result.metadata = nil
        result.batch = nil
        if result.image.utf8.count > 4096 { result.image = "" }
        let key = message.key.flatMap { $0.count <= 1024 ? $0 : nil }
        return Answer(
            message: KafkaMessage(
                topic: message.topic, partition: message.partition, offset: message.offset,
                timestamp: message.timestamp, key: key),
            result: result)
    }
}

extension KafkaError {
    /// Whether Kafka will never take the record as it is.
    var isTooLarge: Bool { name == "MSG_SIZE_TOO_LARGE" || name == "RECORD_LIST_TOO_LARGE" }
}
