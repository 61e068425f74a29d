import Foundation

/// Writes bundles. The same model gives the same bytes. A bundle appears whole or not at all: it is written beside its
/// place and then renamed.
package enum BundleWriter {
    /// - Parameters:
    ///   - manifest: its digest is computed here.
    ///   - directory: must not exist, unless `replaces` and it is a bundle.
    /// - Returns: the manifest with its digest.
    package static func write(
        _ manifest: ModelManifest, vocabulary: Vocabulary, weights: [String: WeightTensor],
        precision: SafetensorsWriter.Precision, to directory: String, replaces: Bool
    ) throws -> ModelManifest {
        try write(manifest, to: directory, replaces: replaces) { folder in
            try SafetensorsWriter.write(weights, precision: precision, to: "\(folder)/\(ModelBundle.weightsName)")
            try writeFile(vocabulary.text, to: "\(folder)/\(ModelBundle.vocabularyName)")
        }
    }

    /// Writes a bundle with the files of another one, but another manifest.
    ///
    /// - Returns: the manifest with its digest.
    static func copy(
        _ source: String, with manifest: ModelManifest, to directory: String, replaces: Bool
    ) throws -> ModelManifest {
        let names = try BundleDigest.mapFiles(of: source).keys
        return try write(manifest, to: directory, replaces: replaces) { folder in
            for name in names where name != ModelBundle.correctionsName {
                try FileManager.default.copyItem(atPath: "\(source)/\(name)", toPath: "\(folder)/\(name)")
            }
        }
    }

    /// - Parameter fill: writes all files but the manifest into the folder.
    private static func write(
        _ manifest: ModelManifest, to directory: String, replaces: Bool, fill: (String) throws -> Void
    ) throws -> ModelManifest {
        let target = URL(fileURLWithPath: directory).standardizedFileURL
        let exists = FileManager.default.fileExists(atPath: target.path)
        try checkPlace(target, exists: exists, replaces: replaces)
        let parent = target.deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        let draft = parent.appendingPathComponent(".\(target.lastPathComponent).\(getpid()).new")
        try? FileManager.default.removeItem(at: draft)
        try FileManager.default.createDirectory(at: draft, withIntermediateDirectories: false)
        do {
            try fill(draft.path)
            if let corrections = manifest.quantisation?.corrections, !corrections.isEmpty {
                try SafetensorsWriter.write(
                    corrections.mapValues { WeightTensor(shape: [$0.count], values: $0) }, precision: .f32,
                    to: "\(draft.path)/\(ModelBundle.correctionsName)")
            }
            let written = try writeManifest(manifest, to: draft.path)
            if exists {
                // The old bundle is moved away first: a folder that is not empty cannot be renamed over.
                let old = parent.appendingPathComponent(".\(target.lastPathComponent).\(getpid()).old")
                try FileManager.default.moveItem(at: target, to: old)
                try FileManager.default.moveItem(at: draft, to: target)
                try FileManager.default.removeItem(at: old)
            } else {
                try FileManager.default.moveItem(at: draft, to: target)
            }
            return written
        } catch {
            try? FileManager.default.removeItem(at: draft)
            throw error
        }
    }

    private static func checkPlace(_ target: URL, exists: Bool, replaces: Bool) throws {
        guard exists else { return }
        guard replaces else {
            throw ModelError("\(target.path) exists already; give --force to replace it, or another place")
        }
        let manifest = target.appendingPathComponent(BundleDigest.manifestName)
        guard FileManager.default.fileExists(atPath: manifest.path) else {
            throw ModelError("\(target.path) is no model bundle, and is not replaced")
        }
    }

    private static func writeManifest(_ manifest: ModelManifest, to folder: String) throws -> ModelManifest {
        var manifest = manifest
        manifest.digest = ""
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let blank = Array(try encoder.encode(manifest)) + [0x0a]
        let files = try BundleDigest.mapFiles(of: folder)
        let text = try blank.withBytes { (bytes) throws(ModelError) in
            manifest.digest = try BundleDigest.compute(manifest: bytes, files: files)
            return try BundleDigest.replacingDigest(bytes, by: manifest.digest)
        }
        try writeFile(Data(text), to: "\(folder)/\(BundleDigest.manifestName)")
        return manifest
    }

    private static func writeFile(_ data: Data, to path: String) throws {
        guard FileManager.default.createFile(atPath: path, contents: nil),
            let file = FileHandle(forWritingAtPath: path)
        else { throw ModelError("\(path): cannot write: \(MappedFile.lastError())") }
        try file.write(contentsOf: data)
        try file.synchronize()
        try file.close()
    }
}
