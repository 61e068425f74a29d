import Foundation

/// Real photographs, weights, golden outputs and a Kafka that lie beside a builder's checkout, not in it. Tests that need
/// them are enabled by `SharedFiles.isPresent`; where the folder is present, `scripts/test.sh` treats a skip as a failure.
public enum SharedFiles {
    /// The package's root folder.
    public static let packageRoot = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder `shared` beside the package.
    public static let root = packageRoot.deletingLastPathComponent().appendingPathComponent("shared")

    public static let isPresent = FileManager.default.fileExists(
        atPath: root.appendingPathComponent("README.md").path)

    public static func url(_ path: String) -> URL { root.appendingPathComponent(path) }
}
