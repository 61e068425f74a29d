import CommandLineOptions
import Foundation
import Messaging

/// What all requests of a run have in common.
struct RequestTemplate: Sendable {
    var run: RunIdentity
    var key: EnqueueOptions.Key
    var model: String?
    var beam: Int?
    var candidates: Int?
    var maxWords: Int?
    var batch: String?
    var metadata: [UInt8]?

    /// Throws for options that every worker would refuse.
    init(_ options: ParsedOptions, run: RunIdentity) throws(UsageError) {
        self.run = run
        key = options[EnqueueOptions.key]
        model = try options[EnqueueOptions.model].map { name throws(UsageError) in
            try Self.checkedModel(name, from: options.source(of: EnqueueOptions.model))
        }
        beam = options[EnqueueOptions.beam]
        candidates = options[EnqueueOptions.candidates]
        maxWords = options[EnqueueOptions.maxWords]
        batch = options[EnqueueOptions.batch]
        metadata = try options[EnqueueOptions.metadata].map(Self.checkedMetadata)
        let limits = RequestLimits()
        if let batch, batch.utf8.count > limits.batchBytes {
            throw UsageError("--batch: at most \(limits.batchBytes) bytes")
        }
        if let candidates, candidates > beam ?? candidates {
            throw UsageError("--candidates: at most as many as --beam")
        }
    }

    func record(number: Int, image: String) -> KafkaRecord {
        let id = run.id(number)
        let request = CaptionRequest(
            id: id, image: image, model: model, beam: beam, candidates: candidates, maxWords: maxWords, batch: batch,
            metadata: metadata)
        let key: [UInt8]? =
            switch self.key {
            case .id: Array(id.utf8)
            case .path: Array(image.utf8)
            case .none: nil
            }
        return KafkaRecord(key: key, value: request.encoded())
    }

    /// No bundle can have another name, so that each request would end as `model_unknown`. What comes here by mistake is the
    /// bundle's folder, which is what the worker takes by the same variable.
    private static func checkedModel(_ text: String, from source: ValueSource) throws(UsageError) -> String {
        let parts = text.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.allSatisfy(isNameOrVersion) { return text }
        throw UsageError(
            "--model (\(source)): '\(text.prefix(200))' is no model's name; give NAME or NAME@VERSION, of letters, digits "
                + "and \"._-\", or leave it out. A bundle's folder is for kaption-worker only: give each program settings "
                + "of its own")
    }

    private static func isNameOrVersion(_ text: Substring) -> Bool {
        (1...128).contains(text.count)
            && text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) }
    }

    private static func checkedMetadata(_ text: String) throws(UsageError) -> [UInt8] {
        guard text.utf8.count <= RequestLimits().metadataBytes else {
            throw UsageError("--metadata: at most \(RequestLimits().metadataBytes) bytes")
        }
        do {
            _ = try JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed)
        } catch {
            throw UsageError("--metadata: not JSON: '\(text.prefix(60))'")
        }
        return Array(text.utf8)
    }
}
