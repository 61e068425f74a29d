import Foundation

extension CaptionResult {
    /// Reads a record's value, as a consumer of the results topic does; fields that are not known are ignored. An error
    /// code that is not known reads as `internal`, with the code before the message.
    ///
    /// - Throws: `DecodingError`, or what else says that this is not a result.
    public init(decoding value: [UInt8]) throws {
        let document = try JSONDecoder().decode(Document.self, from: Data(value))
        let source = try document.source.source()
        id = document.id
        image = document.image
        caption = document.caption
        failure = document.error?.failure
        candidates = (document.candidates ?? []).map {
            Candidate(caption: $0.caption, logProbability: $0.log_probability, score: $0.score)
        }
        model = document.model
        timings = document.timings_ms ?? Timings()
        self.source = source
        worker = document.worker
        attempts = document.attempts
        batch = document.batch
        replayOf = document.replay_of
        metadata = try value.withUnsafeBufferPointer { bytes throws(JSONScanError) in
            try range(ofField: "metadata", in: bytes).map { Array(bytes[$0]) }
        }
    }
}

/// The result as JSON names its parts.
private struct Document: Decodable {
    struct Failure: Decodable {
        var code: String
        var message: String

        var failure: RequestFailure {
            if let known = ErrorCode(rawValue: code) { return RequestFailure(known, message) }
            return RequestFailure(.internal, "\(code): \(message)")
        }
    }

    struct Candidate: Decodable {
        var caption: String
        var log_probability: Float
        var score: Float
    }

    struct Source: Decodable {
        var topic: String
        var partition: Int32
        var offset: Int64
        var timestamp: String?

        func source() throws -> CaptionResult.Source {
            var milliseconds: Int64 = -1
            if let timestamp {
                guard let time = RFC3339.milliseconds(timestamp) else {
                    throw JSONScanError(reason: "source.timestamp is not an RFC 3339 time", offset: 0)
                }
                milliseconds = time
            }
            return CaptionResult.Source(topic: topic, partition: partition, offset: offset, timestamp: milliseconds)
        }
    }

    var id: String
    var image: String
    var status: CaptionResult.Status
    var caption: String?
    var error: Failure?
    var candidates: [Candidate]?
    var model: CaptionResult.Model?
    var timings_ms: CaptionResult.Timings?
    var source: Source
    var worker: String
    var attempts: Int
    var batch: String?
    var replay_of: String?
}

/// Where the value of a field of the outermost object stands.
private func range(
    ofField wanted: String, in bytes: UnsafeBufferPointer<UInt8>
) throws(JSONScanError) -> Range<Int>? {
    var scanner = JSONScanner(bytes, maximumDepth: 256)
    scanner.skipWhiteSpace()
    try scanner.expect(UInt8(ascii: "{"), "an object is missing")
    scanner.skipWhiteSpace()
    if scanner.next == UInt8(ascii: "}") { return nil }
    repeat {
        scanner.skipWhiteSpace()
        let name = try scanner.readString()
        scanner.skipWhiteSpace()
        try scanner.expect(UInt8(ascii: ":"), "a colon is missing")
        scanner.skipWhiteSpace()
        let start = scanner.offset
        try scanner.skipValue(depth: 1)
        if name == wanted { return start..<scanner.offset }
        scanner.skipWhiteSpace()
    } while scanner.skip(UInt8(ascii: ","))
    return nil
}
