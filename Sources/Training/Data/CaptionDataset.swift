import Evaluation
import Foundation

/// Photographs and what people wrote of them, as a dataset's file has them. Four forms are known, told apart by their
/// content:
///
/// - Flickr8k's token file: a line a caption, `name.jpg#0`, a tab, the caption.
/// - Kaggle's `captions.txt`: comma-separated values (RFC 4180) under a header with `image` and `caption`.
/// - COCO's captions: an object with `images` (`id`, `file_name`) and `annotations` (`image_id`, `caption`).
/// - Karpathy's splits: an object with `images` that have `filename`, `split` and `sentences` (`raw`).
public struct CaptionDataset: Sendable, Equatable {
    public struct Image: Sendable, Equatable {
        /// The file's path beneath the folder of images.
        public var name: String
        public var captions: [String]
        /// What the file itself says: `train`, `restval`, `val`, `test`.
        public var split: String?
    }

    /// The largest file that is read, in bytes.
    public static let maximumBytes = 1 << 30

    /// In the file's order.
    public private(set) var images: [Image] = []
    private var places: [String: Int] = [:]

    /// Reads a file.
    ///
    /// - Throws: `TrainingError`.
    public init(path: String) throws(TrainingError) {
        try self.init(name: path, data: Self.read(path, limit: Self.maximumBytes))
    }

    /// - Parameter name: of the file, for errors.
    public init(name: String, data: Data) throws(TrainingError) {
        let data = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
        guard let text = String(validating: data, as: UTF8.self) else {
            throw TrainingError("\(name): not a text in UTF-8")
        }
        switch text.first(where: { !$0.isWhitespace }) {
        case "{": try addJSON(data, name: name)
        case nil: break
        case .some:
            if let table = try CommaSeparatedCaptions(text, name: name) {
                for row in table.rows { add(row.caption, to: row.image) }
            } else {
                try addTokens(data, name: name)
            }
        }
        guard images.contains(where: { !$0.captions.isEmpty }) else {
            throw TrainingError("\(name): there are no captions in it")
        }
    }

    /// Reads a whole file of at most `limit` bytes.
    static func read(_ path: String, limit: Int) throws(TrainingError) -> Data {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            let data = try file.read(upToCount: limit + 1) ?? Data()
            if data.count <= limit { return data }
        } catch {
            throw TrainingError("\(path): cannot be read: \(error.localizedDescription)")
        }
        throw TrainingError("\(path): larger than \(limit >> 20) MiB")
    }

    private mutating func add(_ caption: String, to image: String, split: String? = nil) {
        let place = places[image] ?? images.count
        if place == images.count {
            places[image] = place
            images.append(Image(name: image, captions: [], split: split))
        }
        images[place].captions.append(caption)
    }

    private mutating func addTokens(_ data: Data, name: String) throws(TrainingError) {
        do {
            let file = try CaptionFile(name: name, data: data)
            for image in file.images {
                for caption in file.captions(of: image) ?? [] { add(caption, to: image) }
            }
        } catch {
            throw TrainingError(error.message)
        }
    }

    private mutating func addJSON(_ data: Data, name: String) throws(TrainingError) {
        let file = try JSONCaptions.decode(data, name: name)
        var names: [String: String] = [:]
        for (place, image) in file.images.enumerated() {
            guard let file = image.path else {
                throw TrainingError("\(name): image \(place) has neither file_name nor filename")
            }
            for sentence in image.sentences ?? [] { add(sentence.raw, to: file, split: image.split) }
            if let id = image.id { names[id.text] = file }
        }
        for (place, annotation) in (file.annotations ?? []).enumerated() {
            guard let image = names[annotation.image.text] else {
                throw TrainingError(
                    "\(name): annotation \(place) is of image \(annotation.image.text), which 'images' lacks")
            }
            add(annotation.caption, to: image)
        }
    }
}
