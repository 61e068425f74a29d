import Dispatch
import Foundation
import Inference
import Synchronization

/// Captions files in a few threads, each with a session of its own, and hands the results over in the order of the files.
final class CaptionRun: Sendable {
    typealias Outcome = Result<CaptionSession.Output, CaptionFailure>

    /// The most images that a thread takes at once.
    private static let maximumBatch = 8

    private struct Progress {
        /// The first path that no thread has taken.
        var next = 0
        /// By the path's index; those not yet handed over.
        var outcomes: [Int: Outcome] = [:]
    }

    private let captioner: Captioner
    private let options: CaptionOptions
    private let paths: [String]
    private let progress = Mutex(Progress())
    /// Signalled for each outcome.
    private let outcomeArrived = DispatchSemaphore(value: 0)

    init(captioner: Captioner, options: CaptionOptions, paths: [String]) {
        self.captioner = captioner
        self.options = options
        self.paths = paths
    }

    /// Runs to the end. `deliver` is called on the calling thread, which waits meanwhile.
    func perform(threads: Int, deliver: (String, Outcome) -> Void) {
        let threads = max(1, min(threads, paths.count))
        for _ in 0..<threads {
            Thread { self.work(threads: threads) }.start()
        }
        for (index, path) in paths.enumerated() {
            var outcome: Outcome?
            while outcome == nil {
                outcome = progress.withLock { $0.outcomes.removeValue(forKey: index) }
                if outcome == nil { outcomeArrived.wait() }
            }
            if let outcome { deliver(path, outcome) }
        }
    }

    private func work(threads: Int) {
        let session = captioner.makeSession(maximumBatch: Self.maximumBatch)
        while let batch = take(threads: threads) {
            var images: [(index: Int, file: Data)] = []
            for index in batch {
                do {
                    images.append((index, try Self.read(paths[index])))
                } catch {
                    finish(index, .failure(error))
                }
            }
            caption(images, with: session)
        }
    }

    /// The next paths for one thread: a fair share of what is left, at most a full batch.
    private func take(threads: Int) -> Range<Int>? {
        progress.withLock { progress in
            let left = paths.count - progress.next
            guard left > 0 else { return nil }
            let first = progress.next
            progress.next += min(Self.maximumBatch, (left + threads - 1) / threads)
            return first..<progress.next
        }
    }

    private func caption(_ images: [(index: Int, file: Data)], with session: CaptionSession) {
        // The session reads the files where they lie, so all of them are copied to memory that stays in its place.
        let buffers = images.map { image in
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: image.file.count, alignment: 16)
            image.file.copyBytes(to: buffer)
            return buffer
        }
        defer { for buffer in buffers { buffer.deallocate() } }
        let inputs = buffers.map { CaptionSession.Input(bytes: UnsafeRawBufferPointer($0), options: options) }
        session.caption(inputs) { row, result in
            finish(images[row].index, result.mapError(CaptionFailure.init))
        }
    }

    private func finish(_ index: Int, _ outcome: Outcome) {
        progress.withLock { $0.outcomes[index] = outcome }
        outcomeArrived.signal()
    }

    private static func read(_ path: String) throws(CaptionFailure) -> Data {
        let limit = ImageLimits().maximumBytes
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            let data = try handle.read(upToCount: limit + 1) ?? Data()
            if data.count <= limit { return data }
        } catch {
            let reason = (error as NSError).localizedFailureReason ?? error.localizedDescription
            let isMissing = (error as? CocoaError)?.code == .fileReadNoSuchFile
            throw CaptionFailure(code: isMissing ? "image_not_found" : "image_unreadable", message: reason)
        }
        throw CaptionFailure(code: "image_too_large", message: "the file is larger than \(limit >> 20) MiB")
    }
}

/// Why a file has no caption: one of the stable error codes, and words for a person.
struct CaptionFailure: Error, Equatable {
    var code: String
    var message: String

    init(code: String, message: String) {
        self.code = code
        self.message = message
    }

    init(_ error: InferenceError) {
        self.init(code: error.code.rawValue, message: error.message)
    }
}
