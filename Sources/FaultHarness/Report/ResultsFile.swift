import Foundation

/// The file of `--resume`: a line a run. Seeds that have passed are not run again.
struct ResultsFile {
    let url: URL

    /// Seeds that have a line that says they passed in this mode.
    func passed(in mode: DeliveryMode) -> Set<Int> {
        let text = (try? String(contentsOf: url, encoding: .utf8)) ?? ""
        var seeds: Set<Int> = []
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.contains("mode=\(mode.rawValue)"), fields.contains("verdict=passed"),
                let seed = fields.first(where: { $0.hasPrefix("seed=") }).flatMap({ Int($0.dropFirst(5)) })
            else { continue }
            seeds.insert(seed)
        }
        return seeds
    }

    func append(_ line: String) throws {
        let descriptor = open(url.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw HarnessError("cannot write \(url.path): \(String(cString: strerror(errno)))")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try file.write(contentsOf: Data((line + "\n").utf8))
    }
}
