import Foundation

/// A JSON object read from a file: settings or secrets, every value as the text a user would write for a flag.
struct SettingsFile {
    let path: String
    let texts: [String: [String]]

    /// Throws when the file cannot be read, is no JSON object or holds a value that no flag could hold.
    init(path: String) throws(UsageError) {
        self.path = path
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw UsageError("\(path): cannot be read: \(error.localizedDescription)")
        }
        guard let object = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
            throw UsageError("\(path): not a JSON object")
        }
        var texts: [String: [String]] = [:]
        for (key, value) in object { texts[key] = try Self.texts(of: value, key: key, path: path) }
        self.texts = texts
    }

    private static func texts(of value: Any, key: String, path: String) throws(UsageError) -> [String] {
        if let list = value as? [Any] {
            var texts: [String] = []
            for element in list { texts.append(try text(of: element, key: key, path: path)) }
            return texts
        }
        if let object = value as? [String: Any] {
            var texts: [String] = []
            for (name, element) in object.sorted(by: { $0.key < $1.key }) {
                texts.append("\(name)=\(try text(of: element, key: key, path: path))")
            }
            return texts
        }
        return [try text(of: value, key: key, path: path)]
    }

    private static func text(of value: Any, key: String, path: String) throws(UsageError) -> String {
        switch value {
        case let text as String: return text
        case let number as NSNumber:
            // Foundation keeps JSON's true and false as numbers of C's type char.
            let isBoolean = String(cString: number.objCType) == "c"
            if isBoolean { return number.boolValue ? "true" : "false" }
            return number.stringValue
        default: throw UsageError("\(path): '\(key)' is neither text, number, true nor false")
        }
    }
}
