/// The answer to one request: the value of a record of the results topic.
public struct CaptionResult: Sendable, Equatable {
    public enum Status: String, Sendable, Decodable { case ok, error }

    public struct Candidate: Sendable, Equatable {
        public var caption: String
        /// Natural logarithm.
        public var logProbability: Float
        public var score: Float

        public init(caption: String, logProbability: Float, score: Float) {
            self.caption = caption
            self.logProbability = logProbability
            self.score = score
        }
    }

    public struct Model: Sendable, Equatable, Decodable {
        public var name: String
        public var version: String
        /// `sha256:…` of the bundle.
        public var digest: String
        public var precision: String

        public init(name: String, version: String, digest: String, precision: String) {
            self.name = name
            self.version = version
            self.digest = digest
            self.precision = precision
        }
    }

    /// Milliseconds; written with at most three decimals. Stages that were not reached are 0.
    public struct Timings: Sendable, Equatable, Decodable {
        /// From poll to thread.
        public var queue = 0.0
        public var fetch = 0.0
        public var decode = 0.0
        public var encode = 0.0
        public var caption = 0.0
        public var total = 0.0
        /// How many images the micro-batch had.
        public var batch = 0

        public init() {}
    }

    /// Where the request stood.
    public struct Source: Sendable, Equatable {
        public var topic: String
        public var partition: Int32
        public var offset: Int64
        /// Milliseconds since 1970; −1 where the record has none, and then left out of the result.
        public var timestamp: Int64

        public init(topic: String, partition: Int32, offset: Int64, timestamp: Int64) {
            self.topic = topic
            self.partition = partition
            self.offset = offset
            self.timestamp = timestamp
        }

        public init(_ message: KafkaMessage) {
            self.init(
                topic: message.topic, partition: message.partition, offset: message.offset,
                timestamp: message.timestamp)
        }
    }

    public var id: String
    public var image: String
    /// The best caption; nil for an error.
    public var caption: String?
    public var failure: RequestFailure?
    public var candidates: [Candidate] = []
    /// nil where no model was chosen.
    public var model: Model?
    public var timings = Timings()
    public var source: Source
    public var worker: String
    public var attempts: Int
    public var batch: String?
    /// JSON, byte for byte as in the request.
    public var metadata: [UInt8]?
    /// The `kaption-replay-of` of a replayed dead letter.
    public var replayOf: String?

    public var status: Status { failure == nil ? .ok : .error }

    public init(
        request: CaptionRequest, source: Source, worker: String, attempts: Int = 1, caption: String? = nil,
        failure: RequestFailure? = nil
    ) {
        id = request.id
        image = request.image
        batch = request.batch
        metadata = request.metadata
        self.source = source
        self.worker = worker
        self.attempts = attempts
        self.caption = caption
        self.failure = failure
    }
}
