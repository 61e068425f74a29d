extension CaptionResult {
    /// The record of the results topic that answers `request`: the request's own key (null stays null), CloudEvents'
    /// binary-mode headers, then the request's headers except those that are Kaption's.
    ///
    /// Headers or a key over the limits (they made the request fail) are not carried over.
    /// - Parameter clusterID: of the cluster that the request came from.
    public func record(answering request: KafkaMessage, clusterID: String, limits: RequestLimits = RequestLimits())
        -> KafkaRecord
    {
        KafkaRecord(
            key: request.key(within: limits), value: encoded(),
            headers: RecordHeaders(answering: request, from: source, clusterID: clusterID, limits: limits).list)
    }
}

extension RecordHeaders {
    /// The headers of the result that answers `request`, whose own are carried over if they are within the limits.
    ///
    /// - Parameter source: where the request stood; nil for where the message says.
    public init(
        answering request: KafkaMessage, from source: CaptionResult.Source? = nil, clusterID: String,
        limits: RequestLimits = RequestLimits()
    ) {
        self.init()
        let source = source ?? .init(request)
        append("ce_specversion", "1.0")
        append("ce_type", CloudEvent.staticType)
        var text = ByteBuffer(reservingCapacity: 2 * source.topic.utf8.count + clusterID.utf8.count + 64)
        CloudEvent.appendSource(topic: source.topic, clusterID: clusterID, to: &text)
        text.withBytes { append("ce_source", $0) }
        text.removeAll()
        CloudEvent.appendID(of: source, to: &text)
        text.withBytes { append("ce_id", $0) }
        append("content-type", "application/json")
        guard request.headersByteCount <= limits.headerBytes, request.headers.count <= limits.headers else { return }
        for header in request.headers where !CloudEvent.isReserved(header.name) { append(header) }
    }
}

extension KafkaMessage {
    /// The key, unless it is larger than a request's may be.
    public func key(within limits: RequestLimits) -> [UInt8]? {
        (key?.count ?? 0) <= limits.keyBytes ? key : nil
    }
}
