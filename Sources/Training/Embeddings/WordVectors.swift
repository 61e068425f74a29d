import Foundation

/// Word vectors as GloVe hands them out (Pennington et al., 2014): a line a word, then its numbers, separated by spaces. A first line with
/// two whole numbers, as word2vec writes it, is skipped.
public struct WordVectors: Sendable {
    /// Numbers of a vector.
    public private(set) var size = 0
    /// Of the words wanted that the file has.
    public private(set) var vectors: [String: [Float]] = [:]

    static let mostNumbers = 4096
    static let longestLine = 1 << 20
    private static let chunk = 1 << 20

    /// Reads the vectors of some words; the file may be larger than memory.
    ///
    /// - Throws: `TrainingError`, which names the line.
    public init(path: String, words: Set<String>) throws(TrainingError) {
        let file: FileHandle
        do {
            file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        } catch {
            throw TrainingError("\(path): cannot be read: \(error.localizedDescription)")
        }
        var pending = Data()
        var number = 0
        while true {
            let data: Data
            do { data = try file.read(upToCount: Self.chunk) ?? Data() } catch {
                throw TrainingError("\(path): cannot be read: \(error.localizedDescription)")
            }
            pending.append(data)
            var start = pending.startIndex
            while let end = pending[start...].firstIndex(of: UInt8(ascii: "\n")) {
                number += 1
                try read(pending[start..<end], words, "\(path): line \(number)", isFirst: number == 1)
                start = pending.index(after: end)
            }
            pending = Data(pending[start...])
            guard pending.count <= Self.longestLine else {
                throw TrainingError("\(path): line \(number + 1) is longer than \(Self.longestLine >> 20) MiB")
            }
            if data.isEmpty { break }
        }
        if !pending.isEmpty { try read(pending, words, "\(path): line \(number + 1)", isFirst: number == 0) }
        guard size > 0 else { throw TrainingError("\(path): there are no word vectors in it") }
    }

    private mutating func read(
        _ line: Data, _ words: Set<String>, _ place: String, isFirst: Bool
    ) throws(TrainingError) {
        guard let text = String(validating: line, as: UTF8.self) else { throw TrainingError("\(place): not UTF-8") }
        let trimmed = text.trimmingCharacters(in: .whitespacesAndNewlines)
        if trimmed.isEmpty { return }
        if size == 0 {
            let fields = trimmed.split(separator: " ")
            if isFirst, fields.count == 2, Int(fields[0]) != nil, Int(fields[1]) != nil { return }
            guard (1...Self.mostNumbers).contains(fields.count - 1) else {
                throw TrainingError("\(place): not a word and its numbers")
            }
            size = fields.count - 1
        }
        // Nearly all lines are of words that nobody wants.
        guard let first = trimmed.firstIndex(of: " "), words.contains(String(trimmed[..<first])) else { return }
        let fields = trimmed[first...].split(separator: " ")
        let numbers = fields.compactMap { Float($0) }
        guard fields.count == size, numbers.count == size, numbers.allSatisfy(\.isFinite) else {
            // A word of several parts, such as GloVe's `. name`, is none of ours.
            if fields.count > size { return }
            throw TrainingError("\(place): '\(trimmed[..<first].prefix(40))' does not have \(size) finite numbers")
        }
        vectors[String(trimmed[..<first])] = numbers
    }
}
