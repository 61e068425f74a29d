import CommandLineOptions
import Glibc

/// Faults that tests and the fault harness provoke inside a worker, from the environment variable `KAPTION_TEST_HOOKS`:
/// a list separated by commas. Empty in every other use; a worker that has any says so when it starts.
///
/// - `null-model`: images are neither read nor decoded, every request gets one fixed caption: for measuring the plumbing.
/// - `abort-on=TEXT`: the process aborts when a pool thread begins an image whose path contains TEXT.
/// - `hang-on=TEXT`: a pool thread never returns from such an image.
/// - `hang-read-on=TEXT`: an I/O thread never returns from reading such an image.
/// - `fail-producer-after=N`: the first producer fails for good after N answers.
/// - `stall-poll-while=FILE`: the poll thread stands still for as long as FILE exists.
struct TestHooks: Sendable, Equatable {
    static let variable = "KAPTION_TEST_HOOKS"

    var hasNullModel = false
    var abortOn: String?
    var hangOn: String?
    var hangReadOn: String?
    var stallPollWhile: String?
    var failProducerAfter: Int?

    var isEmpty: Bool { self == TestHooks() }

    init() {}

    /// - Parameter text: the variable's value.
    init(_ text: String) throws(UsageError) {
        for hook in text.split(separator: ",") {
            let parts = hook.split(separator: "=", maxSplits: 1).map(String.init)
            switch (parts[0], parts.dropFirst().first) {
            case ("null-model", nil): hasNullModel = true
            case ("abort-on", let text?): abortOn = text
            case ("hang-on", let text?): hangOn = text
            case ("hang-read-on", let text?): hangReadOn = text
            case ("stall-poll-while", let file?): stallPollWhile = file
            case ("fail-producer-after", let number?) where Int(number) != nil: failProducerAfter = Int(number)
            default: throw UsageError("\(Self.variable): '\(hook)' is not a test hook")
            }
        }
    }

    /// On a pool thread that begins an image.
    func beginCaption(of image: String) {
        if let abortOn, image.contains(abortOn) { abort() }
        if let hangOn, image.contains(hangOn) { hang() }
    }

    /// On an I/O thread that begins to read an image.
    func beginRead(of image: String) {
        if let hangReadOn, image.contains(hangReadOn) { hang() }
    }

    /// On the poll thread, before each poll.
    func beginPoll() {
        guard let stallPollWhile else { return }
        while access(stallPollWhile, F_OK) == 0 { usleep(10_000) }
    }

    private func hang() {
        while true { pause() }
    }
}
