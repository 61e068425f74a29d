import Foundation
import TestSupport
import Testing

@testable import Inference

/// Real photographs against Pillow.
@Suite(.enabled(if: SharedFiles.isPresent, "shared/ is absent"))
struct PhotographTests {
    private static func photographs() throws -> [URL] {
        try FileManager.default.contentsOfDirectory(
            at: SharedFiles.url("flickr8k/originals"), includingPropertiesForKeys: nil
        ).sorted { $0.path < $1.path }
    }

    private func compare(
        _ preprocessing: Preprocessing, meanAtMost: Float, mostAtMost: Float
    ) async throws {
        let files = try Self.photographs()
        #expect(files.count == 40)
        let expected = try await Pillow().resized(
            files, width: preprocessing.width, height: preprocessing.height, mode: preprocessing.resize.rawValue,
            side: preprocessing.effectiveResizeSide)
        let reader = ImageReader(preprocessing: preprocessing)
        for (file, pillow) in zip(files, expected) {
            let ours = try readPixels(Data(contentsOf: file), preprocessing, reader: reader)
            let (mean, most) = difference(ours, pillow)
            #expect(mean <= meanAtMost, "\(file.lastPathComponent)")
            #expect(most <= mostAtMost, "\(file.lastPathComponent)")
        }
    }

    @Test("Stretched to 224×224, without scaled decoding", arguments: [224, 160])
    func stretched(side: Int) async throws {
        try await compare(.plain(side, side), meanAtMost: 0.02, mostAtMost: 2)
    }

    @Test("The shorter side to 256, the middle 224×224")
    func cropped() async throws {
        try await compare(.plain(224, 224, resize: .shortSideCrop), meanAtMost: 0.02, mostAtMost: 2)
    }

    @Test("With scaled decoding, where the target leaves room for it", arguments: [112])
    func scaled(side: Int) async throws {
        try await compare(.plain(side, side, scaledDecoding: true), meanAtMost: 1.5, mostAtMost: 255)
    }
}
