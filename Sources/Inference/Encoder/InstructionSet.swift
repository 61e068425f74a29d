import Kernels

/// Which table of kernels computes. The numbers of one bundle are bit-identical within an instruction set, not between two.
public enum InstructionSet: String, Sendable, CaseIterable {
    case plain
    case avx2
    case avx512
    /// With VNNI and BF16.
    case avx512vnni
    /// Those and AMX.
    case amx

    /// The fastest one of this CPU, lowered by the environment variable `KAPTION_INSTRUCTION_SET` where that is set.
    public static let best = InstructionSet(kaption_isa_best())

    /// Those that this CPU can run, slowest first.
    public static let available = allCases.filter { kaption_isa_available($0.isa) != 0 }

    /// The C name of it.
    package var isa: kaption_isa {
        switch self {
        case .plain: KAPTION_ISA_PLAIN
        case .avx2: KAPTION_ISA_AVX2
        case .avx512: KAPTION_ISA_AVX512
        case .avx512vnni: KAPTION_ISA_AVX512_VNNI
        case .amx: KAPTION_ISA_AMX
        }
    }

    private init(_ isa: kaption_isa) {
        switch isa {
        case KAPTION_ISA_AMX: self = .amx
        case KAPTION_ISA_AVX512_VNNI: self = .avx512vnni
        case KAPTION_ISA_AVX512: self = .avx512
        case KAPTION_ISA_AVX2: self = .avx2
        default: self = .plain
        }
    }
}
