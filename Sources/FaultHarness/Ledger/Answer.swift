import Messaging

/// A record of the topic of results, as far as it is judged.
struct ResultRecord: Sendable, Equatable {
    /// Where the record itself stands.
    var place: Position
    var ceID: String
    /// The request that it answers, by `ce_id`.
    var request: Position
    var id: String
    var image: String
    var worker: String
    /// nil for a caption.
    var errorCode: String?
}

/// A record of the topic of dead letters, as far as it is judged.
struct DeadLetterRecord: Sendable, Equatable {
    var request: Position
    var errorCode: String
}

extension ResultRecord {
    /// - Throws: `HarnessError` for a record that is not a result of this contract.
    init(_ message: KafkaMessage) throws {
        let place = "\(message.topicPartition)@\(message.offset)"
        guard let ceID = message.text(ofHeader: "ce_id"), let request = Position(ceID: ceID) else {
            throw HarnessError("the result at \(place) has no ce_id of the form topic:partition:offset:timestamp")
        }
        let result: CaptionResult
        do {
            result = try CaptionResult(decoding: message.value ?? [])
        } catch {
            throw HarnessError("the result at \(place) cannot be read: \(error)")
        }
        guard Position(partition: result.source.partition, offset: result.source.offset) == request else {
            throw HarnessError("the result at \(place) names another source than its ce_id \(ceID)")
        }
        self.init(
            place: Position(partition: message.partition, offset: message.offset), ceID: ceID, request: request,
            id: result.id, image: result.image, worker: result.worker, errorCode: result.failure?.code.rawValue)
    }
}

extension DeadLetterRecord {
    init(_ message: KafkaMessage) throws {
        guard let partition = message.text(ofHeader: "kaption-original-partition").flatMap({ Int32($0) }),
            let offset = message.text(ofHeader: "kaption-original-offset").flatMap({ Int64($0) }),
            let code = message.text(ofHeader: "kaption-error-code")
        else {
            throw HarnessError("the dead letter at \(message.topicPartition)@\(message.offset) does not say its origin")
        }
        self.init(request: Position(partition: partition, offset: offset), errorCode: code)
    }
}

extension Position {
    /// From `topic:partition:offset:timestamp-ms`.
    init?(ceID: String) {
        let parts = ceID.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 4, let partition = Int32(parts[1]), let offset = Int64(parts[2]), Int64(parts[3]) != nil
        else { return nil }
        self.init(partition: partition, offset: offset)
    }
}
