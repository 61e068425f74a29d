import Foundation
import Inference
import TestSupport
import Testing

@testable import ModelTool

@Suite("kaption-model train")
struct TrainCommandTests {
    private let program = ChildProcess.product("kaption-model")
    private let model = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path

    /// Pictures with captions, and the arguments of a short training on them.
    private struct Bench {
        let folder: TemporaryDirectory
        var path: String { folder.url.path }

        init() throws {
            folder = try TemporaryDirectory()
            var captions = "image,caption\n"
            let texts = ["a dog runs", "two cats sleep here", "the red boat", "\"a man, a wall\""]
            for number in 0..<12 {
                try folder.write("\(number).png", TestPicture.png(width: 24, height: 24, seed: UInt64(number % 4)))
                captions += "\(number).png,\(texts[number % 4])\n\(number).png,\(texts[number % 4])\n"
            }
            try folder.write("captions.txt", Data(captions.utf8))
            try folder.write("dev.txt", Data("0.png\n1.png\n2.png\n3.png\n".utf8))
        }

        func arguments(_ name: String, from: String = "--encoder", _ model: String, _ more: [String]) -> [String] {
            [
                "train", "--dataset", "\(path)/captions.txt", "--images", path, "--dev-split", "\(path)/dev.txt",
                "--dev-select", "2", from, model, "--output", "\(path)/\(name)", "--embedding-size", "16",
                "--hidden-size",
                "16", "--min-count", "1", "--batch", "2", "--threads", "1", "--feature-cache", "\(path)/cache",
                "--learning-rate",
                "0.01",
            ] + more
        }

        func weights(_ name: String) throws -> Data {
            try Data(contentsOf: folder.url.appendingPathComponent("\(name)/weights.safetensors"))
        }
    }

    private func run(_ arguments: [String]) throws -> String {
        String(decoding: try ChildProcess.run(program, arguments), as: UTF8.self)
    }

    @Test func trainsABundleThatCaptionsAndGoesOn() throws {
        let bench = try Bench()
        let text = try run(
            bench.arguments("first", model, ["--epochs", "3", "--self-critical-epochs", "1", "--flips"]))
        for part in ["8 images, 16 captions", "cross-entropy 3:", "self-critical 1:", "best ", "held out     2 images"]
        {
            #expect(text.contains(part), "\(part)")
        }
        let captions = try run(["caption", "--model", "\(bench.path)/first", "\(bench.path)/0.png"])
        #expect(captions.split(separator: "\t").count == 2)
        for name in ["history.csv", "history.svg"] {
            #expect(FileManager.default.fileExists(atPath: "\(bench.path)/first.training/\(name)"))
        }
        let first = try ModelBundle.load(directory: "\(bench.path)/first")
        #expect(first.manifest.quality != nil && first.manifest.version == "1" && first.manifest.name == "first")

        // More data with new words: ids stay, words are added.
        try bench.folder.write("captions.txt", Data("image,caption\n4.png,a zebra runs\n5.png,zebra\n".utf8))
        let more = try run([
            "train", "--dataset", "\(bench.path)/captions.txt", "--images", bench.path, "--from", "\(bench.path)/first",
            "--output", "\(bench.path)/second", "--min-count", "1", "--threads", "1", "--epochs", "1",
        ])
        #expect(more.contains("1 new"))
        let second = try ModelBundle.load(directory: "\(bench.path)/second")
        #expect(second.vocabulary.words.starts(with: first.vocabulary.words) && second.vocabulary.words.last == "zebra")
        #expect(second.manifest.version == "2")
    }

    /// SIGKILL at whatever moment, ten times, and resumed: the same weights as unbroken.
    @Test func survivesBeingKilled() throws {
        let bench = try Bench()
        let settings = ["--epochs", "60", "--self-critical-epochs", "15", "--checkpoint-steps", "3"]
        _ = try run(bench.arguments("whole", model, settings))
        let resumed = bench.arguments("broken", model, settings + ["--resume"])
        let checkpoint = "\(bench.path)/broken.training/checkpoint.kaption"
        func written() -> Date? {
            try? FileManager.default.attributesOfItem(atPath: checkpoint)[.modificationDate] as? Date
        }
        var kills = 0
        while kills < 10 {
            let before = written()
            let process = try ChildProcess(program, resumed, errors: bench.folder.url.appendingPathComponent("errors"))
            // Once it has written a checkpoint of its own, at a random moment.
            #expect(eventually { written().map { $0 != before } ?? false })
            usleep(UInt32.random(in: 0...15_000))
            process.signal(SIGKILL)
            try #require(process.wait() == 128 + SIGKILL, "it was done before it was killed the \(kills + 1)th time")
            kills += 1
        }
        _ = try run(resumed)
        #expect(try bench.weights("broken") == bench.weights("whole"))
    }

    @Test(
        "Wrong usage",
        arguments: [
            (["--encoder", "MODEL", "--from", "MODEL"], "either --encoder"), ([], "either --encoder"),
            (["--encoder", "MODEL", "--epochs", "0"], "nothing to train"),
            (["--encoder", "MODEL", "--output", "/"], "exists already"),
        ])
    func wrongUsage(arguments: [String], reason: String) throws {
        let folder = try TemporaryDirectory()
        let errors = folder.url.appendingPathComponent("errors")
        let all =
            ["train", "--dataset", "x", "--images", "x", "--output", "/nowhere/at/all"]
            + arguments.map { $0 == "MODEL" ? model : $0 }
        #expect(try ChildProcess(program, all, errors: errors).wait() == 2)
        #expect(try String(contentsOf: errors, encoding: .utf8).contains(reason))
    }

    @Test func theSameDataIsNamedOnce() {
        func named(_ before: String?, goesOn: Bool = true) -> String {
            TrainDescription.trainingData(before: before, goesOn: goesOn, learnt: "captions of b: 2 images")
        }
        #expect(named(nil) == "captions of b: 2 images")
        #expect(named("captions of a: 9 images") == "captions of a: 9 images; then captions of b: 2 images")
        for before in ["captions of b: 2 images", "encoder and before: a; decoder: captions of b: 2 images"] {
            #expect(named(before) == before)
        }
        #expect(named("a", goesOn: false) == "encoder and before: a; decoder: captions of b: 2 images")
    }

    @Test func versionsCountUp() {
        #expect(TrainDescription.next("1") == "2" && TrainDescription.next("v1.9") == "v1.10")
        #expect(TrainDescription.next("final") == "final.1")
    }
}
