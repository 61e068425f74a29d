import Foundation

/// The digest of a bundle: SHA-256 over the lines `name size sha256`, one for each file of the folder, sorted by the
/// bytes of the name, each ended by a line feed. `model.json` counts with the empty string in place of the value of its
/// outermost `digest`:
///
///     sed 's/"digest" : "sha256:[0-9a-f]*"/"digest" : ""/' model.json | sha256sum
enum BundleDigest {
    static let manifestName = "model.json"
    static let prefix = "sha256:"
    static let maximumFiles = 64

    /// - Parameter files: all files of the folder but `model.json`, by name.
    static func compute(
        manifest: UnsafeRawBufferPointer, files: [String: MappedFile]
    ) throws(ModelError) -> String {
        let blank = try withoutDigest(manifest)
        var lines = ["\(manifestName) \(blank.count) \(SHA256.hexadecimal(blank))"]
        for (name, file) in files {
            lines.append("\(name) \(file.count) \(file.withBytes { SHA256.hexadecimal($0) })")
        }
        lines.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }
        return prefix + SHA256.hexadecimal(Array(lines.map { $0 + "\n" }.joined().utf8))
    }

    /// The text of `model.json` with the value of its outermost `digest` made the empty string.
    static func withoutDigest(_ manifest: UnsafeRawBufferPointer) throws(ModelError) -> [UInt8] {
        try replacingDigest(manifest, by: "")
    }

    static func replacingDigest(_ manifest: UnsafeRawBufferPointer, by digest: String) throws(ModelError) -> [UInt8] {
        guard let range = try JSONParser.parseWithRanges(manifest).members["digest"] else {
            throw ModelError("\(manifestName) has no digest")
        }
        return manifest[..<range.lowerBound] + Array("\"\(digest)\"".utf8) + manifest[range.upperBound...]
    }

    /// The files of a bundle's folder but `model.json`, mapped.
    static func mapFiles(of directory: String) throws(ModelError) -> [String: MappedFile] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw ModelError("\(directory): cannot read the folder: \(error.localizedDescription)")
        }
        guard names.count <= maximumFiles else {
            throw ModelError("\(directory): \(names.count) files, more than the \(maximumFiles) that a bundle may have")
        }
        var files: [String: MappedFile] = [:]
        for name in names where name != manifestName {
            guard !name.utf8.contains(0x0a) else { throw ModelError("\(directory): a file's name holds a line feed") }
            files[name] = try MappedFile(path: "\(directory)/\(name)")
        }
        return files
    }
}
