import Foundation
import TestSupport
import Testing

/// A short run of the harness as its user starts it: few requests, three faults that are soon over.
@Suite("The fault harness on a real Kafka", .serialized)
struct HarnessTests {
    @Test(
        "a short seed passes",
        .enabled(if: KafkaLocal.isPresent, "there is no Kafka to start beside this checkout"),
        arguments: ["at-least-once", "exactly-once"])
    func shortSeed(mode: String) throws {
        let folder = try TemporaryDirectory()
        let output = try ChildProcess.run(
            ChildProcess.product("FaultHarness"),
            [
                "--mode", mode, "--seed", "1", "--requests", "400", "--workers", "2", "--faults", "3",
                "--only", "kill-all-workers,stop-worker,spoil-image", "--logs", folder.url.path,
                "--kafka-local", SharedFiles.url("kafka/kafka-local").path,
                "--model", SharedFiles.packageRoot.appendingPathComponent("Models/kaption-small").path,
            ])
        let line = String(decoding: output, as: UTF8.self)
        #expect(line.contains("mode=\(mode) accepted=400 faults=3 missing=0 "), "\(line)")
        #expect(line.hasSuffix("verdict=passed\n"), "\(line)")
    }

    @Test("wrong usage is told as such")
    func usage() {
        #expect(throws: ChildProcess.Failure.self) {
            try ChildProcess.run(ChildProcess.product("FaultHarness"), ["--only", "earthquake"])
        }
        #expect(throws: ChildProcess.Failure.self) {
            try ChildProcess.run(ChildProcess.product("FaultHarness"), ["--kafka-local", "/nowhere"])
        }
    }
}
