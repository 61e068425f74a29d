/// The CloudEvents attributes of a result, as record headers (the Kafka protocol binding's binary content mode).
public enum CloudEvent {
    /// A changed meaning of the result would be a new type; added fields are not.
    public static var type: String { "\(staticType)" }
    static let staticType: StaticString = "kaption.caption.v1"

    /// `topic:partition:offset:timestamp-ms` of the request: the same for every repeat of an answer, and different for a
    /// topic made anew.
    public static func id(for source: CaptionResult.Source) -> String {
        var id = ByteBuffer(reservingCapacity: source.topic.utf8.count + 48)
        appendID(of: source, to: &id)
        return String(decoding: id.array, as: UTF8.self)
    }

    static func appendID(of source: CaptionResult.Source, to id: inout ByteBuffer) {
        id.append(source.topic)
        for number in [Int64(source.partition), source.offset, source.timestamp] {
            id.append(UInt8(ascii: ":"))
            id.append(decimal: number)
        }
    }

    /// A URI that names the topic.
    static func appendSource(topic: String, clusterID: String, to uri: inout ByteBuffer) {
        uri.append("kafka://" as StaticString)
        uri.append(clusterID)
        uri.append(UInt8(ascii: "/"))
        uri.append(topic)
    }

    /// Names that callers' headers are not echoed under, in any case of letters.
    static func isReserved(_ name: String) -> Bool {
        let name = name.lowercased()
        return name.hasPrefix("ce_") || name == "content-type" || name.hasPrefix("kaption-")
    }
}
