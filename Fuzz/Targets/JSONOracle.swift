import Foundation

@testable import Messaging

/// Our scanner and Foundation's parser must say the same of every text that both claim to read.
func compareWithFoundation(_ text: [UInt8]) {
    guard !isOutsideTheOracle(text) else { return }
    let ours = isJSON(text, maximumDepth: 256)
    let theirs = (try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)) != nil
    guard ours == theirs else { fatalError("our scanner says \(ours), Foundation \(theirs)") }
}

/// Whether our scanner takes the text as one JSON value.
func isJSON(_ text: [UInt8], maximumDepth: Int) -> Bool {
    text.withUnsafeBufferPointer { bytes in
        var scanner = JSONScanner(bytes, maximumDepth: maximumDepth)
        do {
            try scanner.skipValue(depth: 0)
            scanner.skipWhiteSpace()
            return scanner.isAtEnd
        } catch {
            return false
        }
    }
}

/// Foundation guesses UTF-16 and UTF-32 by zero bytes and byte order marks, refuses numbers that a `Double` cannot hold, takes
/// a comma before the end of an array or object, and nests 512 deep.
private func isOutsideTheOracle(_ text: [UInt8]) -> Bool {
    if text.contains(0) || text.first == 0xFE || text.starts(with: [0xEF, 0xBB, 0xBF]) { return true }
    if text.count(where: { $0 == UInt8(ascii: "[") || $0 == UInt8(ascii: "{") }) > 255 { return true }
    let dense = text.filter { $0 != 0x20 && $0 != 0x09 && $0 != 0x0A && $0 != 0x0D }
    if zip(dense, dense.dropFirst()).contains(where: {
        $0 == UInt8(ascii: ",") && ($1 == UInt8(ascii: "]") || $1 == UInt8(ascii: "}"))
    }) {
        return true
    }
    return text.split { !("0123456789eE+-.".utf8.contains($0)) }.contains { word in
        guard let number = Double(String(decoding: word, as: UTF8.self)) else { return false }
        return !number.isFinite || (number == 0 && word.contains { (0x31...0x39).contains($0) })
    }
}
