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
    func perform(threads: Int, deliver: (String, Outcome) throws -> Void) rethrows {
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
            if let outcome { try deliver(path, outcome) }
        }
    }

    private func work(threads: Int) {
        let session = captioner.makeSession(maximumBatch: Self.maximumBatch)
        while let batch = take(threads: threads) {
            var images: [(index: Int, file: FileBytes)] = []
            for index in batch {
                do throws(CaptionFailure) {
                    images.append((index, try FileBytes(path: paths[index], limit: ImageLimits().maximumBytes)))
                } catch {
                    finish(index, .failure(error))
                }
            }
            let inputs = images.map { CaptionSession.Input(bytes: $0.file.bytes, options: options) }
            // The session reads the files where they lie.
            withExtendedLifetime(images) {
                session.caption(inputs) { row, result in
                    finish(images[row].index, result.mapError(CaptionFailure.init))
                }
            }
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

    private func finish(_ index: Int, _ outcome: Outcome) {
        progress.withLock { $0.outcomes[index] = outcome }
        outcomeArrived.signal()
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
