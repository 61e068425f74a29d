import Foundation
import PictureDrawing

/// Small pictures of every kind that is read, and hostile ones.
enum ImageSeeds {
    private static let picture = SampleScene.beach.draw(width: 40, height: 30)
    private static let tiny = SampleScene.redCar.draw(width: 17, height: 9)

    static func jpeg() throws -> [Data] {
        var seeds: [Data] = []
        for isProgressive in [false, true] {
            for (width, height) in [(1, 1), (2, 1), (2, 2)] {
                let file = JPEGFile(
                    colour: .luma(chromaWidth: width, chromaHeight: height), quality: 60, isProgressive: isProgressive)
                seeds.append(try file.write(picture))
            }
            seeds.append(try JPEGFile(colour: .rgb, quality: 50, isProgressive: isProgressive).write(tiny))
            for colour in [JPEGFile.Colour.grey, .cmyk, .ycck] {
                let samples = if case .grey = colour { 1 } else { 4 }
                let pixels = (0..<17 * 9 * samples).map { UInt8(truncatingIfNeeded: $0 * 37) }
                let file = JPEGFile(colour: colour, quality: 70, isProgressive: isProgressive)
                seeds.append(try file.write(pixels, width: 17, height: 9))
            }
        }
        seeds.append(try JPEGFile(quality: 40, restartRows: 1).write(picture))
        seeds.append(try JPEGFile(isArithmetic: true).write(tiny))
        for orientation in 1...8 {
            let tiff = Exif.tiff(orientation: orientation, isLittleEndian: orientation % 2 == 0)
            seeds.append(Exif.added(to: try JPEGFile(quality: 30).write(tiny), tiff: tiff))
        }
        seeds.append(try HostileFiles.progressiveJPEG(scans: 20))
        return seeds
    }

    static func png() throws -> [Data] {
        var seeds = [HostileFiles.png(width: 60_000, height: 60_000), HostileFiles.png(width: 200, height: 300)]
        let palette = (0..<4).map { SIMD3<UInt8>(UInt8($0 * 60), 20, UInt8(255 - $0 * 40)) }
        for isInterlaced in [false, true] {
            seeds.append(try PNGFile(isInterlaced: isInterlaced).write(tiny))
            let exif = Exif.tiff(orientation: 6)
            seeds.append(try PNGFile(isInterlaced: isInterlaced, transparent: [1, 2, 3], exif: exif).write(tiny))
            for (colour, samples, bits) in [
                (PNGFile.Colour.grey, 1, 1), (.grey, 1, 2), (.grey, 1, 4), (.grey, 1, 8), (.grey, 1, 16), (.rgb, 3, 16),
                (.greyAlpha, 2, 8), (.greyAlpha, 2, 16), (.rgba, 4, 8), (.rgba, 4, 16),
                (.palette(palette, alpha: [0, 128]), 1, 2), (.palette(palette, alpha: []), 1, 8),
            ] {
                let rowBytes = (13 * samples * bits + 7) / 8
                let isPalette = if case .palette = colour { true } else { false }
                let pixels = (0..<rowBytes * 7).map {
                    UInt8(truncatingIfNeeded: isPalette && bits == 8 ? $0 % 4 : $0 * 29)
                }
                let file = PNGFile(colour: colour, bits: bits, isInterlaced: isInterlaced)
                seeds.append(try file.write(pixels, width: 13, height: 7))
            }
        }
        return seeds
    }
}
