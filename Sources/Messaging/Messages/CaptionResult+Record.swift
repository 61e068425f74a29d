extension CaptionResult {
    /// The record of the results topic that answers `request`: the request's own key (null stays null), CloudEvents'
    /// binary-mode headers, then the request's headers except those that are Kaption's.
    ///
    /// Headers or a key over the limits (they made the request fail) are not carried over.
    /// - Parameter clusterID: of the cluster that the request came from.
    public func record(answering request: KafkaMessage, clusterID: String, limits: RequestLimits = RequestLimits())
        -> KafkaRecord
    {
        let key = (request.key?.count ?? 0) <= limits.keyBytes ? request.key : nil
        var headers = CloudEvent.headers(for: source, clusterID: clusterID)
        if request.headersByteCount <= limits.headerBytes {
            headers.append(contentsOf: request.headers.filter { !CloudEvent.isReserved($0.name) })
        }
        return KafkaRecord(key: key, value: encoded(), headers: headers)
    }
}

/// The CloudEvents attributes of a result, as record headers (the Kafka protocol binding's binary content mode).
public enum CloudEvent {
    /// A changed meaning of the result would be a new type; added fields are not.
    public static let type = "kaption.caption.v1"

    /// `topic:partition:offset:timestamp-ms` of the request: the same for every repeat of an answer, and different for a
    /// topic made anew.
    public static func id(for source: CaptionResult.Source) -> String {
        "\(source.topic):\(source.partition):\(source.offset):\(source.timestamp)"
    }

    static func headers(for source: CaptionResult.Source, clusterID: String) -> [KafkaHeader] {
        [
            specversionHeader, typeHeader, KafkaHeader("ce_source", text: "kafka://\(clusterID)/\(source.topic)"),
            KafkaHeader("ce_id", text: id(for: source)), contentTypeHeader,
        ]
    }

    private static let specversionHeader = KafkaHeader("ce_specversion", text: "1.0")
    private static let typeHeader = KafkaHeader("ce_type", text: type)
    private static let contentTypeHeader = KafkaHeader("content-type", text: "application/json")

    /// Names that callers' headers are not echoed under, in any case of letters.
    static func isReserved(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("ce_") || name == "content-type" || name.hasPrefix("kaption-")
    }
}
