import Foundation

/// A part of a dataset: images and their captions as they were written.
public struct CaptionSplit: Sendable, Equatable {
    public var images: [String]
    /// Of each image, in the same order.
    public var captions: [[String]]

    public init(images: [String] = [], captions: [[String]] = []) {
        self.images = images
        self.captions = captions
    }

    /// The same without some images.
    public func without(_ indices: Set<Int>) -> CaptionSplit {
        let kept = images.indices.filter { !indices.contains($0) }
        return CaptionSplit(images: kept.map { images[$0] }, captions: kept.map { captions[$0] })
    }

    /// The images of a range of positions.
    public subscript(range: Range<Int>) -> CaptionSplit {
        CaptionSplit(images: Array(images[range]), captions: Array(captions[range]))
    }
}

extension CaptionDataset {
    /// The share of images held out for development where nothing says which, and the most of them.
    static let heldOutShare = 10
    static let mostHeldOut = 1000

    /// Divides the images: by the lists given, else by what the file says (`train` and `restval`; `val`), else every tenth
    /// image by the digest of its name (at most 1,000) is for development. One list alone leaves to the other side what the
    /// file says, without what is listed; where it says nothing, training has all others, and nothing is for development.
    ///
    /// - Throws: `TrainingError` where a list names an image that the dataset lacks, or both lists name it.
    public func splits(
        train: [String]?, development: [String]?
    ) throws(TrainingError) -> (train: CaptionSplit, development: CaptionSplit) {
        if train != nil || development != nil {
            let chosen = try development.map { (names) throws(TrainingError) in try select(names, "--dev-split") }
            let held = Set(chosen?.images ?? [])
            guard let train else { return (forTraining(without: held), chosen ?? CaptionSplit()) }
            let learned = try select(train, "--train-split")
            if let both = learned.images.first(where: held.contains) {
                throw TrainingError("'\(both)' is in --train-split and in --dev-split")
            }
            let names = Set(learned.images)
            return (learned, chosen ?? part { $0.split == "val" && !names.contains($0.name) })
        }
        if hasSplits { return (forTraining(without: []), part { $0.split == "val" }) }
        let order = images.map(\.name).sorted { (Self.digest($0), $0) < (Self.digest($1), $1) }
        let held = Set(order.prefix(min(images.count / Self.heldOutShare, Self.mostHeldOut)))
        return (part { !held.contains($0.name) }, part { held.contains($0.name) })
    }

    private var hasSplits: Bool { images.contains { $0.split != nil } }

    /// What the file says is for training, all images where it says nothing, without some of them.
    public func forTraining(without held: Set<String>) -> CaptionSplit {
        let hasSplits = hasSplits
        return part { (!hasSplits || ["train", "restval"].contains($0.split)) && !held.contains($0.name) }
    }

    /// All images.
    public var whole: CaptionSplit { part { _ in true } }

    private func part(_ belongs: (Image) -> Bool) -> CaptionSplit {
        let chosen = images.filter(belongs)
        return CaptionSplit(images: chosen.map(\.name), captions: chosen.map(\.captions))
    }

    private func select(_ names: [String], _ flag: String) throws(TrainingError) -> CaptionSplit {
        let places = Dictionary(images.enumerated().map { ($1.name, $0) }) { first, _ in first }
        let lastParts = Dictionary(images.enumerated().map { (Self.lastPart($1.name), $0) }) { first, _ in first }
        var split = CaptionSplit()
        for name in names {
            guard let place = places[name] ?? lastParts[Self.lastPart(name)] else {
                throw TrainingError("\(flag) names '\(name)', of which the dataset has no caption")
            }
            split.images.append(images[place].name)
            split.captions.append(images[place].captions)
        }
        return split
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    /// FNV-1a, 64 bits.
    private static func digest(_ name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
