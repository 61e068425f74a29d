import Foundation
import Messaging
import PictureDrawing
import TestSupport
import Testing

@Suite("Hostile requests get a result and a dead letter, and the worker goes on", .serialized)
struct HostileRequestTests {
    private struct Case {
        let name: String
        let value: [UInt8]?
        let code: ErrorCode

        init(_ name: String, _ value: String?, _ code: ErrorCode) {
            self.name = name
            self.value = value.map { Array($0.utf8) }
            self.code = code
        }

        init(_ name: String, bytes: [UInt8], _ code: ErrorCode) {
            self.name = name
            value = bytes
            self.code = code
        }
    }

    private static let cases = [
        Case("truncated JPEG", "truncated.jpg", .imageCorrupt),
        Case("PNG with a wrong CRC", "crc.png", .imageCorrupt),
        Case("text named .jpg", "text.jpg", .imageUnsupported),
        Case("empty file", "empty.jpg", .imageUnsupported),
        Case("directory", "folder", .imagePathRejected),
        Case("FIFO", "pipe.jpg", .imagePathRejected),
        Case("dots", "../../etc/passwd", .imagePathRejected),
        Case("absolute path", "/etc/passwd", .imagePathRejected),
        Case("symbolic link out of the root", "out.jpg", .imagePathRejected),
        Case("empty path", #"{"image":""}"#, .imagePathRejected),
        Case("NUL in the path", #"{"image":"good.jpg\u0000.png"}"#, .imagePathRejected),
        Case("missing file", "missing.jpg", .imageNotFound),
        Case("60,000 by 60,000 pixels", "huge.png", .imageTooLarge),
        Case("10,000 scans", "scans.jpg", .imageTooLarge),
        Case("file over the limit", "sparse.jpg", .imageTooLarge),
        Case("invalid JSON", #"{"image":"good.jpg""#, .requestMalformed),
        Case("null value", nil, .requestMalformed),
        Case("schema-registry framing", bytes: [0, 0, 0, 0, 7, 0x7B, 0x7D], .requestMalformed),
        Case("invalid UTF-8", bytes: [0x61, 0xFF, 0xFE], .requestMalformed),
        Case("value over the limit", String(repeating: "a", count: 65_537), .requestTooLarge),
        Case(
            "id over the limit", #"{"image":"good.jpg","id":"\#(String(repeating: "i", count: 257))"}"#,
            .requestMalformed),
        Case(
            "batch over the limit", #"{"image":"good.jpg","batch":"\#(String(repeating: "b", count: 257))"}"#,
            .requestMalformed),
        Case(
            "metadata over the limit", #"{"image":"good.jpg","metadata":"\#(String(repeating: "m", count: 16_383))"}"#,
            .requestTooLarge),
        Case(
            "metadata nested too deeply",
            #"{"image":"good.jpg","metadata":\#(String(repeating: "[", count: 65) + String(repeating: "]", count: 65))}"#,
            .requestMalformed),
        Case("max_words out of range", #"{"image":"good.jpg","max_words":51}"#, .optionOutOfRange),
        Case("beam out of range", #"{"image":"good.jpg","beam":11}"#, .optionOutOfRange),
        Case("more candidates than beams", #"{"image":"good.jpg","beam":2,"candidates":3}"#, .optionOutOfRange),
        Case("another model", #"{"image":"good.jpg","model":"other@2"}"#, .modelUnknown),
        Case("expired", #"{"image":"good.jpg","expires_at":"2020-01-01T00:00:00Z"}"#, .expired),
    ]

    @Test(
        "each is answered with its code in under a second, and the next image is captioned",
        arguments: Trial.Broker.available)
    func hostile(_ broker: Trial.Broker) throws {
        let trial = try Trial(broker)
        try drawFiles(trial.storage)
        let worker = try trial.startWorker()
        let results = try trial.reader(of: trial.resultsTopic)
        let deadLetters = try trial.reader(of: trial.deadLettersTopic)

        // All connections are there before time is taken.
        try trial.enqueue([Trial.Request("good.jpg", partition: 1), Trial.Request("text.jpg", partition: 1)])
        #expect(results.read(within: .seconds(30)) { $0.count == 2 }, "\(worker.logText)")
        #expect(deadLetters.read(within: .seconds(30)) { $0.count == 1 })

        for (number, hostile) in Self.cases.enumerated() {
            var request = Trial.Request(
                "", key: "hostile-\(number)", headers: [KafkaHeader("trace", text: "\(number)")])
            request.value = hostile.value
            try trial.enqueue([
                request, Trial.Request(#"{"id":"g\#(number)","image":"good.jpg"}"#, key: "good-\(number)"),
            ])
            #expect(
                results.read(within: .seconds(20)) { $0.count == 2 * (number + 2) },
                "no answer to \(hostile.name):\n\(worker.logText)")
            #expect(deadLetters.read(within: .seconds(20)) { $0.count == number + 2 }, "\(hostile.name)")

            let message = try #require(results.messages.first { $0.key == request.key.map { Array($0.utf8) } })
            let result = try CaptionResult(decoding: message.value ?? [])
            #expect(result.failure?.code == hostile.code, "\(hostile.name): \(String(describing: result.failure))")
            #expect(result.caption == nil)
            #expect(message.text(ofHeader: "trace") == "\(number)")
            // By the brokers' clock of both records, which no reader's delay touches.
            let limit = hostile.code == .imageNotFound ? 3000 : 1000
            #expect(message.timestamp - result.source.timestamp < Int64(limit), "\(hostile.name)")

            let letter = try #require(deadLetters.messages.first { $0.key == message.key })
            #expect(letter.value == hostile.value, "\(hostile.name)")
            #expect(letter.text(ofHeader: "kaption-error-code") == hostile.code.rawValue)
            #expect(letter.text(ofHeader: "kaption-original-offset") == "\(2 * number)")
            if hostile.code == .imageNotFound { #expect(result.attempts > 3) }

            let nextMessage = try #require(results.messages.first { $0.key == Array("good-\(number)".utf8) })
            let next = try CaptionResult(decoding: nextMessage.value ?? [])
            #expect(next.id == "g\(number)")
            #expect(next.failure == nil)
            #expect(next.caption?.isEmpty == false)
        }
        #expect(worker.stop() == 0)
        #expect(worker.logText.contains("stopped captioned=\(Self.cases.count + 1) failed=\(Self.cases.count + 1) "))
    }

    private func drawFiles(_ storage: TemporaryDirectory) throws {
        let picture = SampleScene.dogOnGrass.draw(width: 320, height: 240)
        let jpeg = try JPEGFile().write(picture)
        try storage.write("good.jpg", jpeg)
        try storage.write("truncated.jpg", jpeg.prefix(jpeg.count / 2))
        try storage.write("crc.png", HostileFiles.wrongChecksum(in: try PNGFile().write(picture)))
        try storage.write("text.jpg", Data("this is no picture\n".utf8))
        try storage.write("empty.jpg", Data())
        try storage.write("folder/a.jpg", jpeg)
        try storage.write("huge.png", HostileFiles.png(width: 60_000, height: 60_000))
        try storage.write("scans.jpg", HostileFiles.progressiveJPEG(scans: 10_000))
        let sparse = try storage.write("sparse.jpg", Data())
        #expect(truncate(sparse.path, 33 << 20) == 0)
        #expect(mkfifo(storage.url.appendingPathComponent("pipe.jpg").path, 0o600) == 0)
        try FileManager.default.createSymbolicLink(
            atPath: storage.url.appendingPathComponent("out.jpg").path, withDestinationPath: "/etc/passwd")
    }
}
