import Foundation
import Inference
import Kernels
import Synchronization

/// Runs images through a bundle's encoder, each once, in several threads, or takes what the cache has of them.
public final class FeatureExtraction: Sendable {
    /// An image without a feature.
    public struct BrokenImage: Sendable, Equatable {
        public var index: Int
        public var name: String
        public var reason: String
    }

    public struct Result: Sendable {
        /// Of all images; the rows of broken ones are zeros.
        public var features: FeatureTable
        public var broken: [BrokenImage]
        /// How many images were found in the cache.
        public var cached: Int
    }

    private struct State {
        var next = 0
        var done = 0
        var cached = 0
        var broken: [BrokenImage] = []
        var failure: (any Error)?
        var running = 0
    }

    private let encoder: Encoder
    private let preprocessing: Preprocessing
    private let cache: FeatureCache?
    private let flips: Bool

    /// - Parameters:
    ///   - cacheFolder: where features are kept; nil keeps none.
    ///   - flips: whether each image is also encoded flipped from left to right.
    public init(bundle: ModelBundle, cacheFolder: String?, flips: Bool) throws {
        let encoder = try Encoder(graph: bundle.manifest.encoder, weights: bundle.tensor)
        self.encoder = encoder
        preprocessing = bundle.manifest.preprocessing
        self.flips = flips
        cache = try cacheFolder.map {
            try FeatureCache(folder: $0, encoder: EncoderDigest.compute(bundle), featureSize: encoder.featureSize)
        }
    }

    /// - Parameters:
    ///   - images: paths beneath `folder`.
    ///   - mostBroken: more broken images than that end the extraction.
    ///   - progress: called on this thread a few times a second with how many images are done.
    /// - Throws: `TrainingError` where there are too many broken images, and what the cache throws.
    public func run(
        images: [String], folder: String, threads: Int, mostBroken: Int, progress: (Int) -> Void = { _ in }
    ) throws -> Result {
        let features = FeatureTable(images: images.count, copies: flips ? 2 : 1, size: encoder.featureSize)
        let threads = max(1, min(threads, images.count))
        let work = Work(images: images, folder: folder, mostBroken: mostBroken, features: features, threads: threads)
        for _ in 0..<threads { Thread { self.work(work) }.start() }
        while true {
            let (done, running) = work.state.withLock { ($0.done, $0.running) }
            progress(done)
            if running == 0 { break }
            work.changed.wait(timeout: 0.2)
        }
        let (broken, cached, failure) = work.state.withLock { ($0.broken, $0.cached, $0.failure) }
        if let failure { throw failure }
        let named = broken.sorted { $0.index < $1.index }
        guard broken.count <= mostBroken else {
            let examples = named.prefix(5).map { "\($0.name): \($0.reason)" }.joined(separator: "; ")
            throw TrainingError(
                "more than \(mostBroken) images are missing or broken (\(examples)); see --images and --broken-images")
        }
        return Result(features: features, broken: named, cached: cached)
    }

    /// What the threads of one run share.
    private final class Work: Sendable {
        let images: [String]
        let folder: String
        let mostBroken: Int
        let features: FeatureTable
        let state: Mutex<State>
        /// Rung by each thread that ends.
        let changed = Doorbell()

        init(images: [String], folder: String, mostBroken: Int, features: FeatureTable, threads: Int) {
            self.images = images
            self.folder = folder
            self.mostBroken = mostBroken
            self.features = features
            state = Mutex(State(running: threads))
        }

        func take() -> Int? {
            state.withLock { state in
                guard state.next < images.count, state.failure == nil, state.broken.count <= mostBroken else {
                    return nil
                }
                state.next += 1
                return state.next - 1
            }
        }
    }

    private func work(_ work: Work) {
        let mode = kaption_flush_denormals()
        defer { kaption_restore_denormals(mode) }
        let reader = ImageReader(preprocessing: preprocessing)
        let workspace = encoder.makeWorkspace(maximumBatch: 1)
        while let index = work.take() {
            do {
                let cached = try encode(index, work, reader, workspace)
                work.state.withLock {
                    $0.done += 1
                    $0.cached += cached ? 1 : 0
                }
            } catch let error as BrokenFile {
                work.state.withLock {
                    $0.done += 1
                    $0.broken.append(BrokenImage(index: index, name: work.images[index], reason: error.reason))
                }
            } catch {
                work.state.withLock { $0.failure = error }
            }
        }
        work.state.withLock { $0.running -= 1 }
        work.changed.ring()
    }

    private struct BrokenFile: Error {
        var reason: String
    }

    /// Makes the features of one image; true where the cache had them all.
    private func encode(
        _ index: Int, _ work: Work, _ reader: ImageReader, _ workspace: EncoderWorkspace
    ) throws -> Bool {
        let path = "\(work.folder)/\(work.images[index])"
        let bytes: Data
        do {
            bytes = try CaptionDataset.read(path, limit: ImageLimits().maximumBytes)
        } catch {
            throw BrokenFile(reason: error.message.replacing("\(path): ", with: ""))
        }
        let digest = bytes.withUnsafeBytes { SHA256.hexadecimal($0) }
        let keys = (0..<work.features.copies).map { FeatureCache.Key(image: digest, copy: $0) }
        if let cache, keys.allSatisfy({ cache.read($0, to: work.features.row(index, copy: $0.copy)) }) { return true }
        do {
            try bytes.withUnsafeBytes {
                try reader.read($0, into: workspace.input, pixelStride: Encoder.inputPixelStride)
            }
        } catch let error as InferenceError {
            throw BrokenFile(reason: "\(error.code.rawValue): \(error.message)")
        }
        for key in keys {
            if key.copy == 1 { flip(workspace.input) }
            workspace.encode(row: 0)
            workspace.finish(rows: 1)
            let values = UnsafeBufferPointer(start: workspace.features(row: 0), count: encoder.featureSize)
            guard let first = values.baseAddress, values.allSatisfy(\.isFinite) else {
                throw BrokenFile(reason: "its feature is not finite")
            }
            work.features.row(index, copy: key.copy).update(from: first, count: values.count)
            try cache?.append(key, first)
        }
        return false
    }

    /// Swaps left and right of the encoder's input.
    private func flip(_ pixels: UnsafeMutablePointer<Float>) {
        let step = Encoder.inputPixelStride
        for row in 0..<encoder.inputHeight {
            let line = pixels + row * encoder.inputWidth * step
            for column in 0..<encoder.inputWidth / 2 {
                for channel in 0..<step {
                    let (left, right) = (column * step + channel, (encoder.inputWidth - 1 - column) * step + channel)
                    (line[left], line[right]) = (line[right], line[left])
                }
            }
        }
    }
}
