/// What a caller asks for one image: the value of a record of the requests topic.
public struct CaptionRequest: Sendable, Equatable {
    /// The caller's id, at most 256 bytes; `topic:partition:offset` where the caller gave none.
    public var id: String
    /// Path of the image, relative to the storage root. May be empty or wrong: storage is the judge of that.
    public var image: String
    /// `name` or `name@version`; nil: what the worker gives to those that name none.
    public var model: String?
    public var beam: Int?
    public var candidates: Int?
    public var maxWords: Int?
    /// Milliseconds since 1970; from then on the answer is the error `expired`.
    public var expiresAt: Int64?
    /// The caller's name for a set of requests, at most 256 bytes.
    public var batch: String?
    /// The bytes of the caller's own JSON value, at most 16 KiB, as they stood in the request.
    public var metadata: [UInt8]?

    public init(
        id: String, image: String, model: String? = nil, beam: Int? = nil, candidates: Int? = nil, maxWords: Int? = nil,
        expiresAt: Int64? = nil, batch: String? = nil, metadata: [UInt8]? = nil
    ) {
        self.id = id
        self.image = image
        self.model = model
        self.beam = beam
        self.candidates = candidates
        self.maxWords = maxWords
        self.expiresAt = expiresAt
        self.batch = batch
        self.metadata = metadata
    }

    /// The record's value. Fields that are nil are left out; an empty `id` too.
    public func encoded() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        if !id.isEmpty { writer.field("id", id) }
        writer.field("image", image)
        if let model { writer.field("model", model) }
        if let beam { writer.field("beam", beam) }
        if let candidates { writer.field("candidates", candidates) }
        if let maxWords { writer.field("max_words", maxWords) }
        if let expiresAt { writer.field("expires_at", RFC3339.text(milliseconds: expiresAt)) }
        if let batch { writer.field("batch", batch) }
        if let metadata { writer.field("metadata", json: metadata) }
        writer.endObject()
        return writer.bytes
    }
}

/// What a worker allows in a request. Limits on sizes are the contract's; those on options are the worker's.
public struct RequestLimits: Sendable {
    public var valueBytes = 64 << 10
    /// The record's key is held to the same limit as its value.
    public var keyBytes = 64 << 10
    public var headerBytes = 32 << 10
    public var headers = 1024
    public var idBytes = 256
    public var batchBytes = 256
    public var metadataBytes = 16 << 10
    public var metadataDepth = 64
    public var maximumBeam = 10
    public var maximumCandidates = 10
    public var maximumWords = 50

    public init() {}
}

/// A record of the requests topic, read. `request` is always there, so that an error result can name what is known: the id
/// (at least the default one), and image, batch and metadata as far as they were read and right.
public struct ParsedRequest: Sendable, Equatable {
    public var request: CaptionRequest
    public var failure: RequestFailure?

    public init(request: CaptionRequest, failure: RequestFailure? = nil) {
        self.request = request
        self.failure = failure
    }
}
