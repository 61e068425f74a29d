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
}

extension Answer {
    /// The messages that it is produced as.
    var kinds: [DeliveryToken.Kind] { deadLetter == nil ? [.result] : [.result, .deadLetter] }

    /// Enqueues one of its messages.
    ///
    /// - Parameter isReduced: Kafka refused the message for its size: a result then says nothing of the request but its id and
    ///   place, and a dead letter goes without its value.
    /// - Throws: as `KafkaProducer.produce`.
    func produce(
        _ token: DeliveryToken, to destination: Destination, by producer: KafkaProducer, isReduced: Bool
    ) throws {
        if token.kind == .deadLetter, let deadLetter {
            let maximum = isReduced ? 0 : destination.deadLetterBytes
            try producer.produce(
                deadLetter.record(for: message, maximumBytes: maximum), topic: destination.deadLetters,
                token: token.rawValue)
        } else {
            var limits = RequestLimits()
            if isReduced { (limits.keyBytes, limits.headerBytes) = (1024, 0) }
            try producer.produce(
                topic: destination.results, key: message.key(within: limits), value: isReduced ? reducedValue : value,
                headers: RecordHeaders(answering: message, clusterID: destination.clusterID, limits: limits),
                token: token.rawValue)
        }
    }

    private var reducedValue: [UInt8] {
        // What was written here a moment ago reads back.
        guard var result = try? CaptionResult(decoding: value) else { return value }
        result.metadata = nil
        result.batch = nil
        if result.image.utf8.count > 4096 { result.image = "" }
        return result.encoded()
    }
}

extension KafkaError {
    /// Whether Kafka will never take the record as it is.
    var isTooLarge: Bool { name == "MSG_SIZE_TOO_LARGE" || name == "RECORD_LIST_TOO_LARGE" }
}
