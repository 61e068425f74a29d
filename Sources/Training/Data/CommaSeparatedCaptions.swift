/// Captions as comma-separated values (RFC 4180) under a header line with the columns `image` and `caption`, as Kaggle hands
/// out Flickr8k.
struct CommaSeparatedCaptions {
    var rows: [(image: String, caption: String)] = []

    /// Nil where the first line is no such header.
    init?(_ text: String, name: String) throws(TrainingError) {
        var scanner = Scanner(bytes: Array(text.utf8), name: name)
        let header = text.prefix { !$0.isNewline }.split(separator: ",").map {
            $0.trimmingPrefix("\"").lowercased().filter { $0 != "\"" && $0 != " " }
        }
        guard let image = header.firstIndex(of: "image"), let caption = header.firstIndex(of: "caption") else {
            return nil
        }
        _ = try scanner.record()
        while let record = try scanner.record() {
            guard record.fields != [""] else { continue }
            guard record.fields.count == header.count else {
                throw TrainingError(
                    "\(name): line \(record.line) has \(record.fields.count) fields and the header \(header.count); "
                        + "a caption with a comma must stand in double quotes")
            }
            guard !record.fields[image].isEmpty else {
                throw TrainingError("\(name): line \(record.line) names no image")
            }
            rows.append((record.fields[image], record.fields[caption]))
        }
    }

    private struct Scanner {
        let bytes: [UInt8]
        let name: String
        var position = 0
        var line = 1

        init(bytes: [UInt8], name: String) {
            self.bytes = bytes
            self.name = name
        }

        /// The fields of the next record, and the line it begins on; nil at the end.
        mutating func record() throws(TrainingError) -> (fields: [String], line: Int)? {
            guard position < bytes.count else { return nil }
            let first = line
            var fields: [String] = []
            while true {
                fields.append(try field())
                guard position < bytes.count else { return (fields, first) }
                let separator = bytes[position]
                position += 1
                if separator == UInt8(ascii: ",") { continue }
                if separator == UInt8(ascii: "\r"), position < bytes.count, bytes[position] == UInt8(ascii: "\n") {
                    position += 1
                }
                line += 1
                return (fields, first)
            }
        }

        private mutating func field() throws(TrainingError) -> String {
            guard position < bytes.count, bytes[position] == UInt8(ascii: "\"") else {
                let start = position
                while position < bytes.count, !",\r\n".utf8.contains(bytes[position]) { position += 1 }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            }
            let start = line
            position += 1
            var content: [UInt8] = []
            while position < bytes.count {
                let byte = bytes[position]
                position += 1
                if byte == UInt8(ascii: "\n") { line += 1 }
                guard byte == UInt8(ascii: "\"") else {
                    content.append(byte)
                    continue
                }
                if position < bytes.count, bytes[position] == UInt8(ascii: "\"") {
                    content.append(byte)
                    position += 1
                    continue
                }
                guard position == bytes.count || ",\r\n".utf8.contains(bytes[position]) else {
                    throw TrainingError("\(name): line \(line): a quotation mark within a quoted field; double it")
                }
                return String(decoding: content, as: UTF8.self)
            }
            throw TrainingError("\(name): line \(start): a quoted field that does not end")
        }
    }
}
