import COpenBLAS
import Foundation
import Inference

/// OpenBLAS, which the large products come from.
public enum ProductLibrary {
    private static let variable = "OPENBLAS_CORETYPE"

    /// The CPU that OpenBLAS takes this one for.
    public static var coreName: String { openblas_get_corename().map { String(cString: $0) } ?? "unknown" }

    /// Starts the program anew, with the same arguments, where OpenBLAS does not know the CPU and computes with AVX2 though there is
    /// AVX-512: with `OPENBLAS_CORETYPE=SkylakeX` it is about twice as fast, and it reads the variable only when it is loaded. Returns
    /// where there is nothing to gain, or nothing can be done.
    public static func restartWithBestCoreType() {
        guard getenv(variable) == nil, [.avx512, .avx512vnni, .amx].contains(InstructionSet.best),
            ["Haswell", "Zen"].contains(coreName)
        else {
            return
        }
        setenv(variable, "SkylakeX", 1)
        execv("/proc/self/exe", CommandLine.unsafeArgv)
    }
}
