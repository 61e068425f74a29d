import Foundation
import TestSupport

/// Pillow in a process of its own, from a virtual environment that the first use makes.
struct Pillow {
    private let python: String

    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    init() async throws {
        let script = SharedFiles.packageRoot.appendingPathComponent("Tests/Tools/pillow-venv.sh")
        let output = try await Self.run("/usr/bin/env", ["bash", script.path])
        python = String(decoding: output, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// What Pillow makes of each file: `width` × `height` × 3 values in 0...255.
    func resized(
        _ files: [URL], width: Int, height: Int, mode: String = "stretch", side: Int = 0
    ) async throws -> [[Float]] {
        let script = SharedFiles.packageRoot.appendingPathComponent("Tests/Tools/pillow_resize.py")
        let arguments = [script.path, mode, "\(width)", "\(height)", "\(side)"] + files.map(\.path)
        let bytes = try await Self.run(python, arguments)
        let size = width * height * 3
        guard bytes.count == files.count * size else {
            throw Failure(description: "Pillow gave \(bytes.count) bytes for \(files.count) files")
        }
        return files.indices.map { index in bytes[(index * size)..<((index + 1) * size)].map(Float.init) }
    }

    private static func run(_ program: String, _ arguments: [String]) async throws -> Data {
        let folder = try TemporaryDirectory()
        let (output, errors) = (folder.url.appendingPathComponent("out"), folder.url.appendingPathComponent("err"))
        try Data().write(to: output)
        try Data().write(to: errors)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardOutput = try FileHandle(forWritingTo: output)
        process.standardError = try FileHandle(forWritingTo: errors)
        let status = try await withCheckedThrowingContinuation { (done: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        guard status == 0 else {
            let words = String(decoding: try Data(contentsOf: errors), as: UTF8.self)
            throw Failure(description: "\(program) ended with \(status): \(words)")
        }
        return try Data(contentsOf: output)
    }
}
