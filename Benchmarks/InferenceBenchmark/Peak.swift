import Inference
import Kernels

/// The most multiply-adds that one core does on registers alone, measured: what the stages are held against.
enum Peak {
    /// Thousands of millions of operations a second, a multiply-add counting two; nil where there are no vectors to measure.
    static func gigaoperations(
        _ isa: kaption_isa, _ precision: ModelManifest.Precision.Kind = .fp32, seconds: Double = 0.2
    ) -> Double? {
        let element =
            switch precision {
            case .fp32: KAPTION_FLOAT32
            case .bf16: KAPTION_BFLOAT16
            case .int8: KAPTION_UINT8
            }
        var operations: UInt64 = 0
        let timing = Timing(seconds: seconds) { operations = kaption_peak_run_narrow(isa, element, 200_000) }
        return operations == 0 ? nil : Double(operations) / timing.fastest / 1e6
    }
}
