import Inference
import Kernels

/// The most multiply-adds that one core does on registers alone, measured: what the stages are held against.
enum Peak {
    /// GFLOP/s, a multiply-add counting two; nil where there are no vectors to measure.
    static func gigaflops(_ isa: kaption_isa) -> Double? {
        let rounds: UInt64 = 1_000_000
        var operations: UInt64 = 0
        let timing = Timing(seconds: 0.5) { operations = kaption_peak_run(isa, rounds) }
        return operations == 0 ? nil : Double(operations) / timing.fastest / 1e6
    }
}
