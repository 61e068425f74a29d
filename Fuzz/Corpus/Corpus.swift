import Foundation

/// Writes a target's seeds into a folder: `corpus TARGET FOLDER`, run from the package's root.
@main
enum Corpus {
    static func main() throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 3, let seeds = try seeds(for: arguments[1]) else {
            FileHandle.standardError.write(
                Data("usage: corpus jpeg|png|request|onnx|safetensors|manifest FOLDER\n".utf8))
            exit(2)
        }
        let folder = URL(fileURLWithPath: arguments[2])
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for (number, seed) in seeds.enumerated() {
            try seed.write(to: folder.appendingPathComponent("seed-\(number)"))
        }
        print("\(seeds.count) seeds for \(arguments[1]), the largest of \(seeds.map(\.count).max() ?? 0) bytes")
    }

    private static func seeds(for target: String) throws -> [Data]? {
        switch target {
        case "jpeg": try ImageSeeds.jpeg()
        case "png": try ImageSeeds.png()
        case "request": RequestSeeds.all
        case "onnx": try ModelSeeds.onnx()
        case "safetensors": try ModelSeeds.safetensors()
        case "manifest": try ModelSeeds.manifest()
        default: nil
        }
    }
}
