import Foundation
import Kernels
import Testing

/// The accuracy of the activations over their whole range, against double precision.
@Suite struct ActivationTests {
    private static let inputs: [Float] =
        (0...200_000).map { Float($0 - 100_000) / 1000 } + [-.infinity, .infinity, 1e-30, -1e-30, 3e38, -3e38, 0, -0.0]

    private func apply(_ isa: kaption_isa, _ kind: kaption_activation_kind) -> [Float] {
        let input = Memory(Self.inputs)
        let output = Memory(Self.inputs)
        var layer = kaption_layer()
        layer.operation = KAPTION_ACTIVATION
        layer.activation = kaption_activation(kind: kind, alpha: 0, beta: 0)
        layer.input = kaption_tensor(data: input.base, height: 1, width: 1, channels: input.count, stride: input.count)
        layer.output = kaption_tensor(
            data: output.base, height: 1, width: 1, channels: output.count, stride: output.count)
        layer.row_end = 1
        kaption_layer_run(isa, &layer)
        return output.values
    }

    @Test func sigmoidIsWithin2e7() {
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            for (x, y) in zip(Self.inputs, apply(isa, KAPTION_SIGMOID)) {
                let expected = 1 / (1 + exp(-Double(x)))
                #expect(abs(Double(y) - expected) <= 2e-7 * max(expected, 1e-30) + 1e-37, "\(x)")
            }
        }
    }

    @Test func siluIsWithin3e7() {
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            for (x, y) in zip(Self.inputs, apply(isa, KAPTION_SILU)) where abs(x) < 1e30 {
                let expected = Double(x) / (1 + exp(-Double(x)))
                #expect(abs(Double(y) - expected) <= 3e-7 * abs(expected) + 1e-30, "\(x)")
            }
        }
    }

    @Test func geluIsWithin1e6() {
        for isa in [KAPTION_ISA_PLAIN] + vectorTables {
            for (x, y) in zip(Self.inputs, apply(isa, KAPTION_GELU)) where abs(x) < 1e30 {
                let expected = Double(x) / 2 * (1 + erf(Double(x) / 2.0.squareRoot()))
                #expect(abs(Double(y) - expected) <= 1e-6 * max(1, abs(expected)), "\(x)")
            }
        }
    }
}
