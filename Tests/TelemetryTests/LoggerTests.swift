import Foundation
import Synchronization
import Telemetry
import TestSupport
import Testing

struct LoggerTests {
    /// What a logger writes into a pipe.
    private func captured(_ form: LogSink.Form, level: Logger.Level = .info, _ body: (Logger) -> Void) throws -> String
    {
        let pipe = Pipe()
        let sink = LogSink(
            form: form, descriptor: pipe.fileHandleForWriting.fileDescriptor, clock: { 1_769_860_800_042 })
        body(Logger(label: "test", level: level, sink: sink))
        try pipe.fileHandleForWriting.close()
        return String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    @Test func jsonLinesAreReadByAnotherParser() throws {
        let text = "a \"quoted\"\\ line\n\u{1b}[2J ünï \u{0}\u{7f}"
        let output = try captured(.json) {
            $0.warning(
                text, metadata: ["n": 3, "x": 2.5, "b": true, "s": "\(text)", "inf": .number(.infinity), "time": 1])
        }
        #expect(output.hasSuffix("}\n") && output.filter { $0 == "\n" }.count == 1)
        let object = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        #expect(object["time"] as? String == "2026-01-31T12:00:00.042Z")
        #expect(object["level"] as? String == "warning")
        #expect(object["label"] as? String == "test")
        #expect(object["message"] as? String == text)
        #expect(object["s"] as? String == text)
        #expect(object["n"] as? Int == 3)
        #expect(object["x"] as? Double == 2.5)
        #expect(object["b"] as? Bool == true)
        #expect(object["inf"] as? String == "inf")
        #expect(object["metadata.time"] as? Int == 1)
    }

    @Test func textLinesStayOneLine() throws {
        let output = try captured(.text) {
            $0.info("two\nlines", metadata: ["path": "a.jpg", "reason": "no such file", "n": 3, "empty": ""])
        }
        #expect(
            output
                == "2026-01-31T12:00:00.042Z info test: two\\nlines empty=\"\" n=3 path=a.jpg reason=\"no such file\"\n"
        )
    }

    @Test func lowerLevelsAreNotComputed() throws {
        let computed = Mutex(0)
        func message() -> String {
            computed.withLock { $0 += 1 }
            return "message"
        }
        let output = try captured(.text, level: .warning) {
            $0.info(message())
            $0.warning(message())
            $0.critical(message())
        }
        #expect(computed.withLock { $0 } == 2)
        #expect(output.split(separator: "\n").count == 2)
        #expect(Logger.Level.allCases == Logger.Level.allCases.sorted())
    }

    @Test func aLoggersMetadataIsOnEachLine() throws {
        let output = try captured(.text) {
            var logger = $0
            logger[metadataKey: "partition"] = 3
            logger.info("one")
            logger.info("two", metadata: ["partition": 4])
            $0.info("three")
        }
        let ends = output.split(separator: "\n").map { $0.split(separator: "test: ")[1] }
        #expect(ends == ["one partition=3", "two partition=4", "three"])
    }

    /// Lines longer than a pipe takes at once, from several threads.
    @Test func linesOfManyThreadsStayWhole() throws {
        let folder = try TemporaryDirectory()
        let file = try folder.write("log", Data())
        let handle = try FileHandle(forWritingTo: file)
        let logger = Logger(label: "test", sink: LogSink(form: .json, descriptor: handle.fileDescriptor))
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for index in 0..<50 {
                logger.info(String(repeating: "\(thread)", count: 5000), metadata: ["index": .integer(index)])
            }
        }
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        #expect(lines.count == 400)
        for line in lines {
            let object = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            let message = try #require(object["message"] as? String)
            #expect(message.count == 5000 && Set(message).count == 1)
        }
    }

    @Test func aClosedPipeDoesNotStopTheProgram() throws {
        signal(SIGPIPE, SIG_IGN)
        let pipe = Pipe()
        try pipe.fileHandleForReading.close()
        let sink = LogSink(form: .text, descriptor: pipe.fileHandleForWriting.fileDescriptor)
        Logger(label: "test", sink: sink).info("to nobody")
    }
}
