import Kernels
import Testing

/// A narrow layer by every table beside its plain twin.
extension NarrowCase {
    /// In bytes and in bfloat16, written as such and as floats.
    func checkBesidePlain() {
        var layer = self
        for output in [layer.output, NarrowCase.floats] {
            layer.output = output
            layer.compareWithPlain { $0 == $1 || ($0.isNaN && $1.isNaN) }
        }
        layer.input = NarrowCase.halves
        for output in [NarrowCase.halves, NarrowCase.floats] {
            layer.output = output
            layer.compareWithPlain {
                $0 == $1 || ($0.isNaN && $1.isNaN)
                    || abs($0 - $1) <= (output.element == KAPTION_BFLOAT16 ? 0.008 : 2e-4) * max(4, abs($1))
            }
        }
    }

    func compareWithPlain(_ isEqual: (Float, Float) -> Bool) {
        let expected = run(KAPTION_ISA_PLAIN)
        #expect(expected.touched == 0)
        for isa in narrowTables {
            let result = run(isa)
            let name = String(cString: kaption_isa_name(isa))
            #expect(result.touched == 0, "\(name) wrote outside: \(self)")
            let isSame =
                result.values.count == expected.values.count && zip(result.values, expected.values).allSatisfy(isEqual)
            #expect(isSame, "\(name): \(self)")
        }
    }
}
