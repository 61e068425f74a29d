import Foundation

/// What is wrong with a file of captions; the message names the file, and the line where there is one.
public struct CaptionFileError: Error, Sendable, Equatable, CustomStringConvertible {
    public var message: String

    public init(_ message: String) { self.message = message }

    public var description: String { message }
}

/// Captions of images, as a file has them. Four forms are known, told apart by their content:
///
/// - Flickr8k's token file: a line a caption, `name.jpg#0`, a tab, the caption. Without `#0`, and with more after a second
///   tab, it is what `kaption-model caption` prints.
/// - COCO's annotations: an object with `images` (`id`, `file_name`) and `annotations` (`image_id`, `caption`).
/// - COCO's results: an array of objects with `image_id` and `caption`.
/// - JSON lines: an object a line with `image` and either `caption` or `captions`.
public struct CaptionFile: Sendable, Equatable {
    /// The largest file that is read, in bytes.
    public static let maximumBytes = 1 << 30

    /// Images in the file's order.
    public private(set) var images: [String] = []
    private var captionsByImage: [String: [String]] = [:]
    /// Other names of images: a file's name for COCO's number, and the last part of a path.
    private var aliases: [String: String] = [:]

    /// Reads a file.
    ///
    /// - Throws: `CaptionFileError`.
    public init(path: String) throws(CaptionFileError) {
        try self.init(name: path, data: Self.read(path))
    }

    /// - Parameter name: of the file, for errors.
    public init(name: String, data: Data) throws(CaptionFileError) {
        let data = data.starts(with: [0xEF, 0xBB, 0xBF]) ? data.dropFirst(3) : data
        guard let text = String(validating: data, as: UTF8.self) else {
            throw CaptionFileError("\(name): not a text in UTF-8")
        }
        // Other characters that end a line in Unicode may stand within a JSON string.
        let lines = text.split { $0 == "\n" || $0 == "\r\n" }
        switch text.first(where: { !$0.isWhitespace }) {
        case "[": try addResults(Self.decode([COCO.Caption].self, data, name))
        case "{":
            let object = lines.first.flatMap { try? JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            if object != nil {
                try addLines(lines, name: name)
            } else {
                addAnnotations(try Self.decode(COCO.self, data, name))
            }
        case .some: try addTokens(lines, name: name)
        case nil: break
        }
        if images.isEmpty { throw CaptionFileError("\(name): there are no captions in it") }
    }

    /// All captions of an image, by its name or number. A path is known by its last part too, and the other way round,
    /// where that is unambiguous.
    public func captions(of image: String) -> [String]? {
        if let captions = captionsByImage[image] ?? aliases[image].flatMap({ captionsByImage[$0] }) { return captions }
        let last = Self.lastPart(image)
        return captionsByImage[last] ?? aliases[last].flatMap { captionsByImage[$0] }
    }

    /// Reads a whole file of at most `maximumBytes`.
    static func read(_ path: String) throws(CaptionFileError) -> Data {
        do {
            let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            let data = try file.read(upToCount: maximumBytes + 1) ?? Data()
            if data.count <= maximumBytes { return data }
        } catch {
            throw CaptionFileError("\(path): cannot be read: \(error.localizedDescription)")
        }
        throw CaptionFileError("\(path): larger than \(maximumBytes >> 20) MiB")
    }

    private mutating func add(_ caption: String, to image: String) {
        if captionsByImage[image] == nil {
            images.append(image)
            alias(Self.lastPart(image), of: image)
        }
        captionsByImage[image, default: []].append(caption)
    }

    /// An alias of two images is none.
    private mutating func alias(_ alias: String, of image: String) {
        guard alias != image else { return }
        if let other = aliases[alias], other != image { aliases[alias] = "" } else { aliases[alias] = image }
    }

    private static func lastPart(_ path: String) -> String {
        path.split(separator: "/").last.map(String.init) ?? path
    }

    // MARK: Flickr8k's token file

    private mutating func addTokens(_ lines: [Substring], name: String) throws(CaptionFileError) {
        for (number, line) in lines.enumerated() {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            guard fields.count >= 2, !fields[0].isEmpty else {
                throw CaptionFileError(
                    "\(name): line \(number + 1) of those not empty has no image, tab and caption; see --help for the forms of files"
                )
            }
            var image = fields[0]
            if let hash = image.lastIndex(of: "#"), hash != image.startIndex,
                image[image.index(after: hash)...].allSatisfy({ $0.isASCII && $0.isNumber })
            {
                image = image[..<hash]
            }
            add(String(fields[1]), to: String(image))
        }
    }

    // MARK: JSON lines

    private struct Line: Decodable {
        var image: String
        var caption: String?
        var captions: [String]?
        var status: String?
    }

    private mutating func addLines(_ lines: [Substring], name: String) throws(CaptionFileError) {
        for (number, text) in lines.enumerated() {
            guard !text.allSatisfy(\.isWhitespace) else { continue }
            let line = try Self.decode(Line.self, Data(text.utf8), "\(name): line \(number + 1)")
            guard let captions = line.captions ?? line.caption.map({ [$0] }) else {
                throw CaptionFileError("\(name): line \(number + 1): '\(line.image)' has neither caption nor captions")
            }
            for caption in captions { add(caption, to: line.image) }
        }
    }

    // MARK: COCO

    private struct COCO: Decodable {
        /// COCO numbers images; others give them names.
        struct Identifier: Decodable {
            var text: String

            init(from decoder: any Decoder) throws {
                let value = try decoder.singleValueContainer()
                text = try (try? value.decode(Int.self)).map(String.init) ?? value.decode(String.self)
            }
        }

        struct Image: Decodable {
            var id: Identifier
            var fileName: String?

            enum CodingKeys: String, CodingKey {
                case id
                case fileName = "file_name"
            }
        }

        struct Caption: Decodable {
            var image: Identifier
            var caption: String

            enum CodingKeys: String, CodingKey {
                case image = "image_id"
                case caption
            }
        }

        var images: [Image]?
        var annotations: [Caption]
    }

    private mutating func addResults(_ captions: [COCO.Caption]) {
        for caption in captions { add(caption.caption, to: caption.image.text) }
    }

    private mutating func addAnnotations(_ annotations: COCO) {
        addResults(annotations.annotations)
        for image in annotations.images ?? [] {
            if let file = image.fileName { alias(Self.lastPart(file), of: image.id.text) }
        }
    }

    private static func decode<Value: Decodable>(
        _ type: Value.Type, _ data: Data, _ name: String
    ) throws(CaptionFileError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch DecodingError.keyNotFound(let key, _) {
            throw CaptionFileError(
                "\(name): the field '\(key.stringValue)' is missing; see --help for the forms of files")
        } catch DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context) {
            let path = context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }.joined(separator: ".")
            throw CaptionFileError("\(name): the field '\(path)' has another type than it should; see --help")
        } catch {
            throw CaptionFileError("\(name): not the JSON that was expected: \(error.localizedDescription)")
        }
    }
}
