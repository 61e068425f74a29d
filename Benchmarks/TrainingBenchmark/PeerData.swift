import CommandLineOptions
import Foundation
import Training

/// What the peer trains on: the same features, token ids and batches as ours, as plain files.
enum PeerData {
    struct Sizes: Codable {
        var features: Int
        var words: Int
        var copies: Int
        var images: Int
    }

    static func write(_ options: ParsedOptions) throws {
        let (split, features) = try Program.read(options, flips: true)
        let cleaning = CaptionCleaning()
        let words = WordTable(counts: TrainingCorpus.wordCounts(split, cleaning: cleaning), minimumCount: 5)
        let corpus = TrainingCorpus(train: split, development: CaptionSplit(), words: words, cleaning: cleaning)
        let folder = URL(fileURLWithPath: options[Program.output])
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        func write(_ data: Data, _ name: String) throws { try data.write(to: folder.appendingPathComponent(name)) }
        let floats = UnsafeBufferPointer(
            start: features.row(0), count: features.images * features.copies * features.size)
        try write(Data(buffer: floats), "features.f32")
        let captions = corpus.captions.map {
            ([$0.image] + $0.words.map(Int.init)).map(String.init).joined(separator: " ")
        }
        try write(Data(captions.map { $0 + "\n" }.joined().utf8), "captions.txt")
        try write(Data(words.words.map { $0 + "\n" }.joined().utf8), "vocabulary.txt")
        let groups = LengthGroups(lengths: corpus.captions.map(\.words.count), batch: 64, seed: 1, epoch: 0)
        let batches = groups.batches.map { $0.map(String.init).joined(separator: " ") + "\n" }
        try write(Data(batches.joined().utf8), "batches.txt")
        let sizes = Sizes(
            features: features.size, words: words.count, copies: features.copies, images: features.images)
        try write(try JSONEncoder().encode(sizes), "sizes.json")
        print(
            "\(folder.path): \(corpus.captions.count) captions, \(groups.batches.count) batches, \(words.count) words")
    }

    /// Reads what `write` wrote.
    static func read(_ folder: String) throws -> (
        sizes: Sizes, features: FeatureTable, captions: [EncodedCaption], batches: [[Int]]
    ) {
        let folder = URL(fileURLWithPath: folder)
        func numbers(_ name: String) throws -> [[Int]] {
            try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8).split(separator: "\n")
                .map { $0.split(separator: " ").compactMap { Int($0) } }
        }
        let sizes = try JSONDecoder().decode(
            Sizes.self, from: Data(contentsOf: folder.appendingPathComponent("sizes.json")))
        let features = FeatureTable(images: sizes.images, copies: sizes.copies, size: sizes.features)
        let bytes = try Data(contentsOf: folder.appendingPathComponent("features.f32"))
        guard bytes.count == 4 * sizes.images * sizes.copies * sizes.features else {
            throw TrainingError("features.f32 does not have the size that sizes.json says")
        }
        bytes.withUnsafeBytes { source in
            UnsafeMutableRawBufferPointer(start: features.row(0), count: source.count).copyMemory(from: source)
        }
        let captions = try numbers("captions.txt").map {
            EncodedCaption(image: $0[0], words: $0.dropFirst().map(Int32.init))
        }
        return (sizes, features, captions, try numbers("batches.txt"))
    }
}
