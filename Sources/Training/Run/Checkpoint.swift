import Foundation
import Inference

/// All that a run needs to go on, in one file that appears whole or not at all: a header with settings and state, then the floats of
/// weights, moments and the best weights, then a digest of everything.
struct Checkpoint {
    struct Header: Codable, Equatable {
        var format = 1
        var settings: TrainingSettings
        var state: TrainingState
        var shape: DecoderShape
        /// SHA-256 of words, captions and features' sizes: what the run was begun with.
        var data: String
        var adamSteps: Int
    }

    static let name = "checkpoint.kaption"
    private static let magic = Array("KAPTIONTRAINING1".utf8)
    private static let digestBytes = 64
    private static let mostHeaderBytes = 16 << 20

    var header: Header
    /// Weights, first and second moments, best weights.
    var parameters: [DecoderParameters]

    init(header: Header, parameters: [DecoderParameters]) {
        self.header = header
        self.parameters = parameters
    }

    func write(to folder: String) throws {
        let coder = JSONEncoder()
        coder.outputFormatting = [.sortedKeys]
        let text = try coder.encode(header)
        var data = Data(Self.magic)
        withUnsafeBytes(of: UInt64(text.count).littleEndian) { data.append(contentsOf: $0) }
        data.append(text)
        for part in parameters { data.append(Data(bytes: part.base, count: 4 * part.count)) }
        data.append(Data(data.withUnsafeBytes { SHA256.hexadecimal($0) }.utf8))
        let path = "\(folder)/\(Self.name)"
        let draft = "\(path).new"
        guard FileManager.default.createFile(atPath: draft, contents: nil),
            let file = FileHandle(forWritingAtPath: draft)
        else { throw TrainingError("\(draft): cannot be written: \(String(cString: strerror(errno)))") }
        do {
            try file.write(contentsOf: data)
            try file.synchronize()
            try file.close()
        } catch {
            throw TrainingError("\(draft): cannot be written: \(error.localizedDescription)")
        }
        guard rename(draft, path) == 0 else {
            throw TrainingError("\(path): cannot be replaced: \(String(cString: strerror(errno)))")
        }
    }

    static func exists(in folder: String) -> Bool { FileManager.default.fileExists(atPath: "\(folder)/\(name)") }

    /// - Throws: `TrainingError` where the file is damaged, cut off or of another shape.
    init(folder: String, parts: Int) throws {
        let path = "\(folder)/\(Self.name)"
        let damaged = TrainingError("\(path): damaged or cut off; remove it to begin anew")
        guard let data = try? Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped) else {
            throw TrainingError("\(path): cannot be read")
        }
        let start = Self.magic.count + 8
        guard data.count >= start + Self.digestBytes, data.starts(with: Self.magic) else { throw damaged }
        let end = data.count - Self.digestBytes
        let digest = data.withUnsafeBytes { SHA256.hexadecimal(UnsafeRawBufferPointer(rebasing: $0[..<end])) }
        guard Array(data[end...]) == Array(digest.utf8) else { throw damaged }
        let length = data.withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(fromByteOffset: Self.magic.count, as: UInt64.self))
        }
        guard length <= Self.mostHeaderBytes, start + Int(length) <= end else { throw damaged }
        guard let header = try? JSONDecoder().decode(Header.self, from: data[start..<start + Int(length)]),
            header.format == 1
        else { throw TrainingError("\(path): written by another version; remove it to begin anew") }
        self.header = header
        var at = start + Int(length)
        // Before memory is taken for it: the header may say anything.
        let floats = DecoderParameters.count(header.shape)
        guard let floats, floats <= (end - at) / 4, 4 * parts * floats == end - at else { throw damaged }
        parameters = []
        for _ in 0..<parts {
            let part = DecoderParameters(shape: header.shape)
            data.withUnsafeBytes { bytes in
                UnsafeMutableRawPointer(part.base).copyMemory(
                    from: UnsafeRawBufferPointer(rebasing: bytes[at..<at + 4 * part.count]).baseAddress
                        ?? .init(part.base),
                    byteCount: 4 * part.count)
            }
            parameters.append(part)
            at += 4 * part.count
        }
    }
}
