import Inference

/// The features of a set of images, with one or two copies of each: as it is, and flipped. Read-only once it is filled, and
/// shared by all threads then.
public final class FeatureTable: Sendable {
    public let images: Int
    /// 1, or 2 with flipped images.
    public let copies: Int
    /// Floats of a feature.
    public let size: Int
    private let values: FloatBuffer

    public init(images: Int, copies: Int, size: Int) {
        self.images = images
        self.copies = copies
        self.size = size
        values = FloatBuffer(count: images * copies * size)
    }

    /// Where the feature of an image lies, `size` floats.
    public func row(_ image: Int, copy: Int = 0) -> UnsafeMutablePointer<Float> {
        precondition((0..<images).contains(image) && (0..<copies).contains(copy), "no such feature")
        return values.base + (image * copies + copy) * size
    }

    /// The same without some images.
    public func without(_ indices: Set<Int>) -> FeatureTable {
        selecting((0..<images).filter { !indices.contains($0) })
    }

    /// The images from one on.
    public func from(_ first: Int) -> FeatureTable { selecting(Array(first..<images)) }

    private func selecting(_ kept: [Int]) -> FeatureTable {
        let table = FeatureTable(images: kept.count, copies: copies, size: size)
        for (place, image) in kept.enumerated() {
            for copy in 0..<copies { table.row(place, copy: copy).update(from: row(image, copy: copy), count: size) }
        }
        return table
    }
}
