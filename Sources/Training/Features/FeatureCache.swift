import Foundation
import Inference
import Synchronization

/// Features on disk: one file an encoder, to which records are appended, so that what was computed before an interruption
/// is there after it. A record cut off or damaged counts as absent.
///
/// File: magic, encoder's digest, feature size; then records of image digest, copy, checksum, floats (little-endian).
final class FeatureCache: Sendable {
    private static let magic = Array("KAPTIONFEATURES1".utf8)
    private static let digestBytes = 64
    private static let headerBytes = magic.count + digestBytes + 8
    private static let prefixBytes = digestBytes + 16

    struct Key: Hashable {
        /// SHA-256 of the image's bytes, 64 hexadecimal digits.
        var image: String
        var copy: Int
    }

    private let size: Int
    private let file: FileHandle?
    private let records: [Key: Int]
    private let data: Data
    private let appending = Mutex(())

    /// Opens the cache of an encoder in a folder, making both where they are absent. Where another process appends to it, this
    /// one only reads.
    ///
    /// - Throws: `TrainingError` where the file is none of this encoder or cannot be written.
    init(folder: String, encoder: String, featureSize: Int) throws {
        size = featureSize
        let path = "\(folder)/features-\(encoder.prefix(16)).cache"
        let header =
            Self.magic + Array(encoder.utf8) + withUnsafeBytes(of: UInt64(featureSize).littleEndian, Array.init)
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw TrainingError("\(folder): cannot make the folder: \(error.localizedDescription)")
        }
        let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw TrainingError("\(path): \(String(cString: strerror(errno)))") }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        let isAlone = flock(descriptor, LOCK_EX | LOCK_NB) == 0
        var data = try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
        if data.isEmpty, isAlone {
            try file.write(contentsOf: Data(header))
        } else if !data.isEmpty, !data.starts(with: header) {
            throw TrainingError("\(path): no feature cache of this encoder; remove it or give another --feature-cache")
        }
        let recordBytes = Self.prefixBytes + 4 * featureSize
        let whole = data.isEmpty ? 0 : (data.count - Self.headerBytes) / recordBytes
        let end = Self.headerBytes + whole * recordBytes
        if isAlone, data.count > end {
            data = data.prefix(end)
            ftruncate(descriptor, off_t(end))
        }
        var records: [Key: Int] = [:]
        data.withUnsafeBytes { bytes in
            for place in 0..<whole {
                let at = Self.headerBytes + place * recordBytes
                let prefix = UnsafeRawBufferPointer(rebasing: bytes[at..<at + Self.prefixBytes])
                let values = UnsafeRawBufferPointer(rebasing: bytes[at + Self.prefixBytes..<at + recordBytes])
                let copy = prefix.loadUnaligned(fromByteOffset: Self.digestBytes, as: UInt64.self)
                let checksum = prefix.loadUnaligned(fromByteOffset: Self.digestBytes + 8, as: UInt64.self)
                guard copy < 2, checksum == Self.checksum(values) else { continue }
                let image = String(decoding: prefix[..<Self.digestBytes], as: UTF8.self)
                records[Key(image: image, copy: Int(copy))] = at + Self.prefixBytes
            }
        }
        self.records = records
        self.data = data
        self.file = isAlone ? file : nil
    }

    /// Copies a feature to `target`; false where it is not there.
    func read(_ key: Key, to target: UnsafeMutablePointer<Float>) -> Bool {
        guard let at = records[key] else { return false }
        data.withUnsafeBytes { bytes in
            UnsafeMutableRawBufferPointer(start: target, count: 4 * size).copyMemory(
                from: UnsafeRawBufferPointer(rebasing: bytes[at..<at + 4 * size]))
        }
        return true
    }

    /// Appends a feature. Safe from any thread.
    func append(_ key: Key, _ values: UnsafePointer<Float>) throws {
        guard let file else { return }
        let bytes = UnsafeRawBufferPointer(start: values, count: 4 * size)
        var record = Data(key.image.utf8)
        for number in [UInt64(key.copy), Self.checksum(bytes)] {
            withUnsafeBytes(of: number.littleEndian) { record.append(contentsOf: $0) }
        }
        record.append(contentsOf: bytes)
        try appending.withLock { _ in try file.write(contentsOf: record) }
    }

    /// FNV-1a over 32-bit words.
    private static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325
        for at in stride(from: 0, to: bytes.count, by: 4) {
            sum = (sum ^ UInt64(bytes.loadUnaligned(fromByteOffset: at, as: UInt32.self))) &* 0x100_0000_01b3
        }
        return sum
    }
}
