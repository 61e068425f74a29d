import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

/// Damaged pictures by the hundred; `scripts/hostile-images.sh` sends ten thousand.
@Suite("Mutated images through a running worker")
struct MutatedImageTests {
    private static let environment = ProcessInfo.processInfo.environment
    private static let count = environment["KAPTION_MUTATED_IMAGES"].flatMap { Int($0) } ?? 300
    private static let seed = environment["KAPTION_MUTATED_SEED"].flatMap { UInt64($0) } ?? 1
    private static let threads = 2

    /// What the worker may take at most, in KiB: the model, the window and the heap, and for each thread a picture of
    /// 64 megapixels at 8 bytes (what libjpeg or libpng hold of one that comes in several passes) and its file.
    private static let peakBound = (320 + threads * (64 * 8 + 32)) << 10

    @Test("each gets an answer that a file can deserve, the worker lives, its memory stays bounded")
    func mutated() throws {
        let trial = try Trial(.embedded)
        let names = try drawFiles(trial.storage)
        let worker = try trial.startWorker(["--threads", "\(Self.threads)", "--beam", "1"])
        let results = try trial.reader(of: trial.resultsTopic)
        let deadLetters = try trial.reader(of: trial.deadLettersTopic)
        let start = ContinuousClock().now
        for first in stride(from: 0, to: names.count, by: 200) {
            let part = names[first..<min(first + 200, names.count)]
            try trial.enqueue(
                part.enumerated().map {
                    Trial.Request(#"{"image":"\#($1)","max_words":2}"#, partition: Int32($0 % Trial.partitions))
                })
            // Behind by a window at most, so that the embedded broker holds little.
            let isAnswered = results.read(within: .seconds(300)) { $0.count >= first + part.count }
            try #require(isAnswered, "\(results.messages.count) answers to \(first + part.count):\n\(worker.logText)")
        }
        let took = ContinuousClock().now - start

        let answers = try results.results()
        #expect(answers.count == names.count)
        #expect(Set(answers.map(\.image)) == Set(names))
        let codes = Dictionary(grouping: answers) { $0.failure?.code }
        let deserved: [ErrorCode?] = [nil, .imageCorrupt, .imageUnsupported, .imageTooLarge]
        for (code, those) in codes where !deserved.contains(code) {
            Issue.record(
                "\(those.count) of \(code?.rawValue ?? "ok"), as \(those[0].image): \(those[0].failure?.message ?? "")")
        }
        for code in deserved { #expect(codes[code]?.isEmpty == false, "no \(code?.rawValue ?? "ok") among them") }
        let failed = names.count - (codes[nil]?.count ?? 0)
        #expect(deadLetters.read(within: .seconds(60)) { $0.count == failed })

        let peak = try #require(Self.peakKilobytes(of: worker.process.processIdentifier))
        #expect(peak < Self.peakBound)
        #expect(!worker.logText.lowercased().contains("breaker"), "\(worker.logText)")
        #expect(worker.stop() == 0)
        #expect(worker.logText.contains("stopped captioned=\(names.count - failed) failed=\(failed) "))
        let tally = codes.map { "\($0?.rawValue ?? "ok") \($1.count)" }.sorted().joined(separator: ", ")
        print("\(names.count) mutated images, seed \(Self.seed), \(took): \(tally); peak \(peak >> 10) MiB")
    }

    /// The names of the mutated files.
    private func drawFiles(_ storage: TemporaryDirectory) throws -> [String] {
        let small = SampleScene.dogOnGrass.draw(width: 240, height: 180)
        let large = SampleScene.mountainLake.draw(width: 2400, height: 1600)
        let inks = (0..<120 * 90 * 4).map { UInt8(truncatingIfNeeded: $0 / 7) }
        let palette = (0..<16).map { SIMD3<UInt8>(UInt8($0 * 16), 40, UInt8(255 - $0 * 16)) }
        let sound: [(kind: String, data: Data)] = [
            ("jpg", try JPEGFile().write(small)), ("jpg", try JPEGFile(isProgressive: true).write(small)),
            ("jpg", Exif.added(to: try JPEGFile(restartRows: 1).write(small), tiff: Exif.tiff(orientation: 6))),
            ("jpg", try JPEGFile(colour: .cmyk).write(inks, width: 120, height: 90)),
            ("png", try PNGFile().write(small)),
            ("png", try PNGFile(isInterlaced: true, exif: Exif.tiff(orientation: 3)).write(small)),
            (
                "png",
                try PNGFile(colour: .palette(palette, alpha: [0, 99]), bits: 4).write(
                    (0..<60 * 90).map { UInt8(truncatingIfNeeded: $0) }, width: 120, height: 90)
            ),
        ]
        let progressive = try JPEGFile(quality: 60, isProgressive: true).write(large)
        var mutator = FileMutator(seed: Self.seed)
        return try (0..<Self.count).map { number in
            let (kind, file) = number % 50 == 49 ? ("jpg", progressive) : sound[number % sound.count]
            let name = "\(number).\(kind)"
            try storage.write(name, mutator.mutated(file, with: sound[(number / 7) % sound.count].data))
            return name
        }
    }

    private static func peakKilobytes(of process: pid_t) -> Int? {
        let status = (try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)) ?? ""
        return status.firstMatch(of: /VmHWM:\s+(\d+) kB/).flatMap { Int($0.output.1) }
    }
}
