import Foundation
import PictureDrawing
import TestSupport
import Testing

@testable import Inference

@Suite struct HostileImageTests {
    private static let picture = SampleScene.beach.draw(width: 80, height: 60)

    private static func files() throws -> [(name: String, data: Data)] {
        [
            ("baseline JPEG", try JPEGFile().write(picture)),
            ("progressive JPEG", try JPEGFile(isProgressive: true).write(picture)),
            (
                "JPEG with restarts and Exif",
                Exif.added(to: try JPEGFile(restartRows: 1).write(picture), tiff: Exif.tiff(orientation: 6))
            ),
            ("PNG", try PNGFile().write(picture)),
            (
                "interlaced PNG with Exif",
                try PNGFile(isInterlaced: true, exif: Exif.tiff(orientation: 3)).write(picture)
            ),
            (
                "PNG with a palette",
                try PNGFile(colour: .palette([.zero, .one], alpha: [9]), bits: 1).write(
                    [UInt8](repeating: 0xA5, count: 600), width: 80, height: 60)
            ),
        ]
    }

    @Test("What is no JPEG or PNG is image_unsupported") func unknownFormats() {
        let files = [
            Data(), Data("just text, whatever the name says\n".utf8), Data("GIF89a".utf8), Data([0xFF]),
            Data([0xFF, 0xD8]),
            Data([0x89, 0x50, 0x4E, 0x47]), Data(repeating: 0, count: 5000), Data("RIFF\0\0\0\0WEBPVP8 ".utf8),
        ]
        for file in files { #expect(errorCode(file) == .imageUnsupported) }
    }

    /// The whole picture, and the middle of it, for which a decoder may leave out what is around.
    private static let resizes: [Preprocessing] = [
        .plain(16, 12), .plain(16, 12, resize: .shortSideCrop, resizeSide: 40),
    ]

    @Test("A file cut short at any length is image_corrupt", arguments: resizes)
    func truncated(_ preprocessing: Preprocessing) throws {
        for (name, file) in try Self.files() {
            let reader = ImageReader(preprocessing: preprocessing)
            for length in stride(from: 8, to: file.count, by: 7) {
                let code = errorCode(file.prefix(length), preprocessing, reader: reader)
                #expect(code == .imageCorrupt, "\(name), \(length) bytes")
            }
            for missing in 1...12 {
                let code = errorCode(file.dropLast(missing), preprocessing, reader: reader)
                #expect(code == .imageCorrupt, "\(name) but \(missing)")
            }
            #expect(errorCode(file, preprocessing, reader: reader) == nil, "\(name), whole, after all that")
        }
    }

    @Test("A wrong checksum of any PNG chunk is image_corrupt", arguments: ["IHDR", "IDAT", "IEND", "eXIf"])
    func wrongChecksum(chunk: String) throws {
        let file = try PNGFile(exif: Exif.tiff(orientation: 1)).write(Self.picture)
        let wrong = HostileFiles.wrongChecksum(in: file, chunk: chunk)
        #expect(wrong != file)
        #expect(errorCode(wrong) == .imageCorrupt)
    }

    @Test("A PNG chunk that claims more than the file holds is refused before libpng takes memory for it")
    func chunkBeyondTheFile() throws {
        let file = [UInt8](try PNGFile(exif: Exif.tiff(orientation: 1)).write(Self.picture))
        let type = try #require(file.indices.first { file[$0...].starts(with: Array("eXIf".utf8)) })
        for length in [UInt32(file.count - type - 3), 0x7000_0000, 0x7FFF_FFFF, 0xFFFF_FFFF] {
            var wrong = file
            wrong.replaceSubrange(type - 4..<type, with: withUnsafeBytes(of: length.bigEndian) { Array($0) })
            #expect(throws: InferenceError(.imageCorrupt, "damaged PNG: a chunk ends beyond the end of the file")) {
                _ = try readPixels(Data(wrong), .plain(8, 8))
            }
        }
    }

    @Test("Sizes beyond the limits are image_too_large") func tooLarge() throws {
        #expect(errorCode(HostileFiles.png(width: 60_000, height: 60_000)) == .imageTooLarge)
        #expect(errorCode(HostileFiles.png(width: 0x7FFF_FFFF, height: 0x7FFF_FFFF)) == .imageTooLarge)
        #expect(errorCode(HostileFiles.png(width: 0xFFFF_FFFF, height: 0xFFFF_FFFF)) == .imageTooLarge)
        #expect(errorCode(HostileFiles.png(width: 50_000_000, height: 1)) == .imageTooLarge)
        #expect(errorCode(HostileFiles.png(width: 0, height: 10)) == .imageCorrupt)
        let file = try JPEGFile().write(Self.picture)
        #expect(errorCode(file, limits: ImageLimits(maximumBytes: file.count)) == nil)
        #expect(errorCode(file, limits: ImageLimits(maximumBytes: file.count - 1)) == .imageTooLarge)
        #expect(errorCode(file, limits: ImageLimits(maximumPixels: 80 * 60)) == nil)
        #expect(errorCode(file, limits: ImageLimits(maximumPixels: 80 * 60 - 1)) == .imageTooLarge)
        var wide = [UInt8](file)
        let frame = try #require(place(ofMarker: 0xC0, in: wide))
        for offset in 5...8 { wide[frame + offset] = 0xFF }
        #expect(errorCode(Data(wide)) == .imageTooLarge)
    }

    @Test("A progressive JPEG has at most so many scans") func scans() throws {
        #expect(errorCode(try HostileFiles.progressiveJPEG(scans: 10_000)) == .imageTooLarge)
        let usual = try JPEGFile(isProgressive: true).write(Self.picture)
        let header = try usual.withUnsafeBytes { try JPEGHeader($0, maximumScans: 100) }
        #expect(header.scans > 5)
        #expect(errorCode(usual, limits: ImageLimits(maximumScans: header.scans)) == nil)
        #expect(errorCode(usual, limits: ImageLimits(maximumScans: header.scans - 1)) == .imageTooLarge)
    }

    @Test("A deadline that has passed is image_timeout") func deadline() throws {
        for (name, file) in try Self.files() {
            #expect(errorCode(file, limits: ImageLimits(deadline: .zero)) == .imageTimeout, "\(name)")
        }
    }

    @Test("Changed bytes never do worse than an error with a code", arguments: resizes)
    func mutated(_ preprocessing: Preprocessing) throws {
        var random = SeededGenerator(2026)
        let limits = ImageLimits(maximumPixels: 1 << 20)
        let reader = ImageReader(preprocessing: preprocessing, limits: limits)
        for (_, file) in try Self.files() {
            for _ in 0..<700 {
                var bytes = [UInt8](file)
                for _ in 0..<Int.random(in: 1...6, using: &random) {
                    // Half of the changes hit the headers.
                    let end = Bool.random(using: &random) ? min(700, bytes.count) : bytes.count
                    bytes[Int.random(in: 0..<end, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
                }
                if Int.random(in: 0..<4, using: &random) == 0 {
                    let place = Int.random(in: 0..<bytes.count, using: &random)
                    bytes.removeSubrange(place..<min(place + 9, bytes.count))
                }
                let code = errorCode(Data(bytes), preprocessing, reader: reader)
                #expect([nil, .imageCorrupt, .imageUnsupported, .imageTooLarge].contains(code))
            }
            #expect(errorCode(file, preprocessing, reader: reader) == nil, "the reader still reads what is sound")
        }
    }
}
