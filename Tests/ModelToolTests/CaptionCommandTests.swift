import Foundation
import TestSupport
import Testing

@testable import ModelTool

@Suite("kaption-model caption")
struct CaptionCommandTests {
    private let program = ChildProcess.product("kaption-model")
    private let model = SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path

    private func pictures(_ count: Int, in directory: TemporaryDirectory) throws -> [String] {
        try (0..<count).map { index in
            let picture = TestPicture.png(width: 20 + 7 * index, height: 90 - 3 * index, seed: UInt64(index))
            return try directory.write("\(index).png", picture).path
        }
    }

    @Test("A line an image in the order given, for any number of threads")
    func keepsTheOrder() throws {
        let directory = try TemporaryDirectory()
        let files = try pictures(21, in: directory)
        let order = Array(files.reversed()) + files.prefix(2)
        let outputs = try ["1", "2", "5"].map { threads in
            let arguments = ["caption", "--model", model, "--threads", threads] + order
            return String(decoding: try ChildProcess.run(program, arguments), as: UTF8.self)
        }
        #expect(Set(outputs).count == 1)
        let lines = outputs[0].split(separator: "\n").map { $0.split(separator: "\t") }
        #expect(lines.map { String($0[0]) } == order)
        #expect(lines.allSatisfy { $0.count == 2 })
    }

    private struct Line: Decodable {
        struct Candidate: Decodable {
            var caption: String
            var log_probability: Double
            var score: Double
        }

        struct Failure: Decodable {
            var code: String
        }

        var image: String
        var status: String
        var caption: String?
        var candidates: [Candidate]?
        var timings_ms: [String: Double]?
        var error: Failure?
    }

    @Test func writesJSON() throws {
        let directory = try TemporaryDirectory()
        let file = try pictures(1, in: directory)[0]
        let output = try ChildProcess.run(
            program, ["caption", "--model", model, "--beam", "4", "--candidates", "2", "--json", file])
        let line = try JSONDecoder().decode(Line.self, from: output)
        #expect(line.image == file && line.status == "ok")
        let candidates = try #require(line.candidates)
        #expect(candidates.first?.caption == line.caption)
        #expect((1...2).contains(candidates.count) && candidates.map(\.score).sorted(by: >) == candidates.map(\.score))
        #expect(line.timings_ms?.keys.sorted() == ["caption", "decode", "encode"])
    }

    @Test func writesAnErrorAsJSON() throws {
        let text = try #require(CaptionPrinter.json("a.jpg", .failure(.init(code: "image_corrupt", message: "cut"))))
        let line = try JSONDecoder().decode(Line.self, from: Data(text.utf8))
        #expect(line.status == "error" && line.error?.code == "image_corrupt" && line.caption == nil)
    }

    @Test func anImageThatFailsDoesNotStopTheOthers() throws {
        let directory = try TemporaryDirectory()
        let good = try pictures(1, in: directory)[0]
        let text = try directory.write("text.jpg", Data("no image".utf8)).path
        let process = try ChildProcess(
            program, ["caption", "--model", model, text, directory.url.path, "\(good).missing", good])
        #expect(try !process.line(after: good + "\t").isEmpty)
        #expect(process.wait() == 1)
    }

    @Test(
        "Exit codes",
        arguments: [
            (["--model", "/nonexistent", "a.jpg"], 4), (["a.jpg"], 2), (["--model", "m"], 2),
            (["--model", "m", "--beam", "11", "a.jpg"], 2), (["--model", "m", "--max-words", "0", "a.jpg"], 2),
        ])
    func exitCodes(arguments: [String], code: Int) throws {
        #expect(try ChildProcess(program, ["caption"] + arguments).wait() == Int32(code))
    }

    @Test func moreCandidatesThanBeamsIsWrongUsage() throws {
        let arguments = ["caption", "--model", model, "--beam", "2", "--candidates", "3", "a.jpg"]
        #expect(try ChildProcess(program, arguments).wait() == 2)
    }

    @Test func saysWhenItsOutputCannotBeWritten() throws {
        let directory = try TemporaryDirectory()
        let file = try pictures(1, in: directory)[0]
        let shell = URL(fileURLWithPath: "/bin/sh")
        let command = #""$0" caption --model "$1" "$2" > /dev/full"#
        #expect(try ChildProcess(shell, ["-c", command, program.path, model, file]).wait() == 1)
    }

    @Test func readsFilesUpToTheLimit() throws {
        let directory = try TemporaryDirectory()
        for size in [0, 1, 4095, 4096, 4097, 10_000] {
            let content = Data((0..<size).map { UInt8(truncatingIfNeeded: $0) })
            let path = try directory.write("file", content).path
            let file = try FileBytes(path: path, limit: 10_000)
            #expect(withExtendedLifetime(file) { Data(file.bytes) } == content)
            if size > 9_999 {
                #expect(throws: CaptionFailure.self) { try FileBytes(path: path, limit: 9_999) }
            }
        }
        // The size of these is not known before they have been read.
        #expect(try !FileBytes(path: "/proc/self/smaps", limit: 1 << 24).bytes.isEmpty)
        let endless = #expect(throws: CaptionFailure.self) { try FileBytes(path: "/dev/zero", limit: 100_000) }
        #expect(endless?.code == "image_too_large")
        let folder = #expect(throws: CaptionFailure.self) { try FileBytes(path: "/proc", limit: 1) }
        #expect(folder?.code == "image_unreadable")
        let missing = #expect(throws: CaptionFailure.self) { try FileBytes(path: "/nonexistent", limit: 1) }
        #expect(missing?.code == "image_not_found")
    }
}
