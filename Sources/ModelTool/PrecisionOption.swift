import CommandLineOptions
import Inference

/// `--precision` of the commands that caption.
enum PrecisionOption {
    static let format = ValueFormat<ModelManifest.Precision.Kind>.choice
    static let option = Option.optional(
        "precision", format, "fp32|bf16|int8", help: "Arithmetic, one that the bundle allows; default: the bundle's.")
}
