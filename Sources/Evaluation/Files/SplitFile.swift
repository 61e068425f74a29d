import Foundation

/// Which images are to be scored: a name a line, as in Flickr8k's `Flickr_8k.devImages.txt`.
public enum SplitFile {
    /// - Throws: `CaptionFileError`, also for a name that is there twice.
    public static func images(path: String) throws(CaptionFileError) -> [String] {
        guard let text = String(validating: try CaptionFile.read(path), as: UTF8.self) else {
            throw CaptionFileError("\(path): not a text in UTF-8")
        }
        var seen: Set<String> = []
        var images: [String] = []
        for line in text.split(whereSeparator: \.isNewline) {
            let name = line.trimmingCharacters(in: .whitespaces)
            if name.isEmpty { continue }
            guard seen.insert(name).inserted else { throw CaptionFileError("\(path): '\(name)' is there twice") }
            images.append(name)
        }
        if images.isEmpty { throw CaptionFileError("\(path): there are no names in it") }
        return images
    }
}
