import Foundation

/// The data files beside an ONNX model. Only regular files beneath the model's folder are read: no absolute path, no `..`, no
/// symbolic link that leads out.
final class ONNXExternalData {
    private let folder: String
    private var files: [String: MappedFile] = [:]

    /// - Parameter model: path of the ONNX file.
    init(model: String) {
        folder = URL(fileURLWithPath: model).deletingLastPathComponent().path
    }

    /// The bytes that a tensor's `external_data` entries name.
    ///
    /// - Parameter expected: bytes that the tensor's shape and type take.
    func bytes(_ entries: [String: String], expected: Int, tensor: String) throws(ModelError) -> MappedBytes {
        func refuse(_ reason: String) -> ModelError { ModelError("tensor \"\(tensor)\": external data: \(reason)") }
        guard let location = entries["location"] else { throw refuse("no location") }
        guard let offset = Int(entries["offset"] ?? "0"), offset >= 0 else { throw refuse("a wrong offset") }
        let file: MappedFile
        do {
            file = try open(location)
        } catch {
            throw refuse(error.message)
        }
        guard let length = Int(entries["length"] ?? "\(max(0, file.count - offset))"), length >= 0 else {
            throw refuse("a wrong length")
        }
        guard length == expected else { throw refuse("\(length) bytes for a tensor of \(expected)") }
        guard offset <= file.count, length <= file.count - offset,
            let bytes = file.bytes.slice(offset..<offset + length)
        else { throw refuse("\(length) bytes at \(offset) lie beyond the end of \"\(location)\"") }
        return bytes
    }

    private func open(_ location: String) throws(ModelError) -> MappedFile {
        if let file = files[location] { return file }
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !location.isEmpty, !location.utf8.contains(0), !parts.contains(""), !parts.contains("..") else {
            throw ModelError("\"\(location)\" does not lie beneath the model's folder")
        }
        // Resolved names, so that a symbolic link is judged by where it leads.
        guard let root = Self.resolve(folder), let path = Self.resolve("\(folder)/\(location)") else {
            throw ModelError("\"\(location)\": \(MappedFile.lastError())")
        }
        guard path.hasPrefix(root == "/" ? "/" : root + "/") else {
            throw ModelError("\"\(location)\" leads out of the model's folder")
        }
        let file = try MappedFile(path: path)
        files[location] = file
        return file
    }

    private static func resolve(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }
}
