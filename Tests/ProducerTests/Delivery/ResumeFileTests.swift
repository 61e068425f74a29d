import CommandLineOptions
import Foundation
import TestSupport
import Testing

@testable import Producer

struct ResumeFileTests {
    let folder: TemporaryDirectory
    var path: String { folder.url.appendingPathComponent("resume").path }

    init() throws { folder = try TemporaryDirectory() }

    private func text() throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

    private static let strange = ["a.jpg", "b\nc\\n.jpg", "é/ü.jpg", "\\", "d\r.jpg"]

    /// Writes images as a run does, and closes the file.
    private func record(_ images: [String]) throws {
        let file = try ResumeFile(path: path, topic: "requests")
        for image in images { file.record(image) }
        try file.sync()
    }

    @Test func aLaterRunKnowsWhatWasAcknowledged() throws {
        try record(Self.strange)
        let file = try ResumeFile(path: path, topic: "requests")
        #expect(file.count == Self.strange.count)
        for image in Self.strange { #expect(file.contains(image)) }
        #expect(!file.contains("b\nc\n.jpg"))
        #expect(!file.contains("e.jpg"))
    }

    /// Two files to Linux, one String to Swift.
    @Test func normalFormsAreDifferentImages() throws {
        try record(["\u{e9}.jpg"])
        let file = try ResumeFile(path: path, topic: "requests")
        #expect(file.contains("\u{e9}.jpg"))
        #expect(!file.contains("e\u{301}.jpg"))
    }

    @Test func whatWasNotSynchronisedIsNotThere() throws {
        let file = try ResumeFile(path: path, topic: "requests")
        file.record("a.jpg")
        #expect(try text() == "kaption-resume 1 requests\n")
        try file.sync()
        #expect(try text() == "kaption-resume 1 requests\na.jpg\n")
    }

    /// A crash may cut the file anywhere: each length must load, know whole lines only, and go on well.
    @Test func aTornLineIsCutOff() throws {
        try record(Self.strange)
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: URL(fileURLWithPath: path))
            try record(["new.jpg"])
            let lines = max(0, whole.prefix(length).filter { $0 == UInt8(ascii: "\n") }.count - 1)
            let file = try ResumeFile(path: path, topic: "requests")
            #expect(file.count == lines + 1)
            #expect(file.contains("new.jpg"))
            for (index, image) in Self.strange.enumerated() { #expect(file.contains(image) == (index < lines)) }
        }
    }

    @Test func linesOfZeroBytesAreIgnored() throws {
        try record(["a.jpg"])
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data([0, 0, 0, 0x0a, 0xff, 0x0a, 0x5c, 0x0a]))
        let file = try ResumeFile(path: path, topic: "requests")
        #expect(file.count == 1 && file.contains("a.jpg"))
    }

    @Test func aLineLongerThanAnyPathIsIgnored() throws {
        try record(["a.jpg"])
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        try handle.seekToEnd()
        try handle.write(contentsOf: Data(repeating: 0x61, count: 3_000_000) + Data("\nb.jpg\n".utf8))
        let file = try ResumeFile(path: path, topic: "requests")
        #expect(file.count == 2 && file.contains("a.jpg") && file.contains("b.jpg"))
    }

    @Test func onlyARegularFileWillDo() throws {
        let pipe = folder.url.appendingPathComponent("pipe").path
        #expect(mkfifo(pipe, 0o600) == 0)
        for path in ["/dev/zero", pipe] {
            #expect(throws: UsageError("--resume: \(path): not a regular file")) {
                try ResumeFile(path: path, topic: "requests")
            }
        }
    }

    @Test func twoRunsCannotShareIt() throws {
        let file = try ResumeFile(path: path, topic: "requests")
        #expect(throws: UsageError("--resume: \(path): in use by another run")) {
            try ResumeFile(path: path, topic: "requests")
        }
        withExtendedLifetime(file) {}
    }

    @Test func otherFilesAreLeftAlone() throws {
        try record([])
        #expect(
            throws: UsageError(
                "--resume: \(path): belongs to the topic 'requests'; give a file of its own to each topic")
        ) {
            try ResumeFile(path: path, topic: "others")
        }
        let letter = try folder.write("letter.txt", Data("Dear Sir,\nno".utf8)).path
        #expect(throws: UsageError("--resume: \(letter): not a resume file of kaption-enqueue")) {
            try ResumeFile(path: letter, topic: "requests")
        }
        #expect(try String(contentsOfFile: letter, encoding: .utf8) == "Dear Sir,\nno")
        #expect(throws: UsageError("--resume: /nowhere/resume: no such file or directory")) {
            try ResumeFile(path: "/nowhere/resume", topic: "requests")
        }
    }
}
