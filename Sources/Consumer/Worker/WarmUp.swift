import Inference

/// The first caption of each pool thread, made before the worker takes requests: it touches all memory that captioning
/// needs, and shows that the model works on this machine.
final class WarmUp: Sendable {
    private struct State: Sendable {
        var pending: Int
        var failure: InferenceError?
    }

    /// An 8×8 grey PNG.
    private static let picture: [UInt8] = [
        0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d, 0x49, 0x48, 0x44, 0x52,
        0x00, 0x00, 0x00, 0x08, 0x00, 0x00, 0x00, 0x08, 0x08, 0x00, 0x00, 0x00, 0x00, 0xe1, 0x64, 0xe1,
        0x57, 0x00, 0x00, 0x00, 0x0e, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0x68, 0x80, 0x02, 0x06,
        0xca, 0x18, 0x00, 0x80, 0x84, 0x20, 0x01, 0x10, 0xe8, 0x6a, 0x17, 0x00, 0x00, 0x00, 0x00, 0x49,
        0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82,
    ]

    private let options: CaptionOptions
    private let state: Monitor<State>

    init(threads: Int, options: CaptionOptions) {
        self.options = options
        state = Monitor(State(pending: threads))
    }

    /// On each pool thread, once.
    func run(_ session: CaptionSession) {
        Self.picture.withUnsafeBytes { bytes in
            session.caption([.init(bytes: bytes, options: options)]) { _, result in
                state.update { state in
                    state.pending -= 1
                    if case .failure(let error) = result { state.failure = error }
                }
            }
        }
    }

    /// On a pool thread that has no session.
    func skip() { state.update { $0.pending -= 1 } }

    /// Waits for all threads. Throws what went wrong with the model.
    func wait() throws(WorkerFailure) {
        let failure = state.wait { $0.pending == 0 ? .finish($0.failure) : .wait }
        if let failure { throw WorkerFailure(.model, "the model cannot caption a plain picture: \(failure)") }
    }
}
