import Dispatch
import Kernels

/// Splits loops over a fixed number of threads. Which part a thread takes follows from the numbers alone, so the same sums are made in
/// the same order in every run.
struct ThreadTeam: Sendable {
    var threads: Int

    /// Calls `body` with ranges that make up 0..<`count`, at most one a thread, and returns when all are done. Ranges begin at multiples of
    /// `grain`, and a thread gets as much at least.
    func split(_ count: Int, grain: Int, _ body: (Range<Int>) -> Void) {
        let grains = (count + grain - 1) / grain
        let parts = min(threads, grains)
        guard parts > 1 else {
            if count > 0 { body(0..<count) }
            return
        }
        withoutActuallyEscaping(body) { body in
            let shared = Shared(body: body)
            DispatchQueue.concurrentPerform(iterations: parts) { part in
                let mode = kaption_flush_denormals()
                defer { kaption_restore_denormals(mode) }
                shared.body(grains * part / parts * grain..<min(grains * (part + 1) / parts * grain, count))
            }
        }
    }

    /// Unchecked because the body is given to all threads at once: each writes what belongs to its range alone, and the caller waits for
    /// all.
    private struct Shared: @unchecked Sendable {
        let body: (Range<Int>) -> Void
    }
}
