// swift-tools-version: 6.0
import PackageDescription

// C libraries come from Debian's development packages (scripts/setup.sh installs them); each is seen
// by one C target only. No outside Swift package is used, and no unsafe flag, so that `Inference` and
// `Messaging` can be depended upon.
let package = Package(
    name: "kaption",
    products: [
        .library(name: "Inference", targets: ["Inference"]),
        .library(name: "Messaging", targets: ["Messaging"]),
        .executable(name: "kaption-worker", targets: ["Consumer"]),
        .executable(name: "kaption-enqueue", targets: ["Producer"]),
        .executable(name: "kaption-model", targets: ["ModelTool"]),
        .executable(name: "kaption-broker", targets: ["EmbeddedBroker"]),
    ],
    targets: [
        // C libraries behind shims.
        .target(name: "CRdKafka", linkerSettings: [.linkedLibrary("rdkafka")]),
        .target(name: "COpenBLAS", linkerSettings: [.linkedLibrary("openblas")]),
        .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
        .target(name: "CPNG", linkerSettings: [.linkedLibrary("png")]),
        .target(name: "CCrypto", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CLinux"),
        .target(name: "CMicroHTTPD", linkerSettings: [.linkedLibrary("microhttpd")]),

        // SIMD kernels: one table per instruction set.
        .target(name: "Kernels", linkerSettings: [.linkedLibrary("m")]),

        // Libraries.
        .target(name: "CommandLineOptions"),
        .target(name: "Telemetry"),
        .target(name: "HTTPServer", dependencies: ["CMicroHTTPD"]),
        .target(name: "Evaluation"),
        .target(name: "PictureDrawing", dependencies: ["CJPEG", "CPNG"]),
        .target(name: "Inference", dependencies: ["Kernels", "COpenBLAS", "CJPEG", "CPNG", "CCrypto"]),
        .target(name: "Training", dependencies: ["Inference", "Evaluation", "Kernels", "COpenBLAS"]),
        .target(name: "Messaging", dependencies: ["CRdKafka"]),

        // Programs.
        .executableTarget(
            name: "Consumer",
            dependencies: ["Inference", "Messaging", "HTTPServer", "CLinux", "CommandLineOptions", "Telemetry"],
            // What one thread allocates another frees, for every request: that is dear with glibc's allocator.
            linkerSettings: [.linkedLibrary("jemalloc")]),
        .executableTarget(name: "Producer", dependencies: ["Messaging", "CommandLineOptions", "Telemetry"]),
        .executableTarget(
            name: "ModelTool", dependencies: ["Inference", "Training", "Evaluation", "CommandLineOptions"]),
        .executableTarget(name: "EmbeddedBroker", dependencies: ["CRdKafka", "CommandLineOptions"]),
        .executableTarget(name: "SamplePictures", dependencies: ["PictureDrawing", "CommandLineOptions"]),
        .executableTarget(
            name: "FaultHarness",
            dependencies: ["Messaging", "PictureDrawing", "CommandLineOptions", "Telemetry", "TestSupport"]),

        // Benchmarks: executables without products.
        .executableTarget(
            name: "InferenceBenchmark", dependencies: ["Inference", "Kernels", "PictureDrawing"],
            path: "Benchmarks/InferenceBenchmark"),
        .target(name: "BareLoop", path: "Benchmarks/BareLoop", linkerSettings: [.linkedLibrary("rdkafka")]),
        .executableTarget(
            name: "PlumbingBenchmark",
            dependencies: ["BareLoop", "Messaging", "PictureDrawing", "CommandLineOptions", "TestSupport"],
            path: "Benchmarks/PlumbingBenchmark"),

        .executableTarget(
            name: "TrainingBenchmark",
            dependencies: ["Training", "Inference", "Evaluation", "Kernels", "COpenBLAS", "CommandLineOptions"],
            path: "Benchmarks/TrainingBenchmark", exclude: ["pytorch_recipe.py"]),

        // Tests mirror Sources.
        .target(name: "TestSupport", dependencies: ["CRdKafka"], path: "Tests/TestSupport"),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels", "COpenBLAS", "TestSupport"]),
        .testTarget(name: "CommandLineOptionsTests", dependencies: ["CommandLineOptions", "TestSupport"]),
        .testTarget(name: "TelemetryTests", dependencies: ["Telemetry", "TestSupport"]),
        .testTarget(name: "HTTPServerTests", dependencies: ["HTTPServer", "TestSupport"]),
        .testTarget(name: "EvaluationTests", dependencies: ["Evaluation", "TestSupport"]),
        .testTarget(name: "InferenceTests", dependencies: ["Inference", "Kernels", "PictureDrawing", "TestSupport"]),
        .testTarget(
            name: "TrainingTests", dependencies: ["Training", "Inference", "Evaluation", "TestSupport"]),
        .testTarget(name: "MessagingTests", dependencies: ["Messaging", "CRdKafka", "TestSupport"]),
        .testTarget(name: "ConsumerTests", dependencies: ["Consumer", "PictureDrawing", "TestSupport"]),
        .testTarget(name: "ProducerTests", dependencies: ["Producer", "Messaging", "TestSupport"]),
        .testTarget(name: "ModelToolTests", dependencies: ["ModelTool", "Evaluation", "TestSupport"]),
        .testTarget(
            name: "FaultHarnessTests", dependencies: ["FaultHarness", "Messaging", "Consumer", "TestSupport"]),
        .testTarget(name: "EmbeddedBrokerTests", dependencies: ["EmbeddedBroker", "TestSupport"]),
    ]
)
