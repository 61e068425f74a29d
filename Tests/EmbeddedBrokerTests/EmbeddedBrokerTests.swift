import Foundation
import TestSupport
import Testing

@testable import EmbeddedBroker

/// The program as its users have it.
@Suite struct EmbeddedBrokerTests {
    @Test func helpSaysWhatItIsNotFor() throws {
        let text = String(
            decoding: try ChildProcess.run(ChildProcess.product("kaption-broker"), ["--help"]), as: UTF8.self)
        #expect(text.contains("not for production"))
        #expect(text.contains("--topic NAME:PARTITIONS"))
        #expect(text.contains("captions.requests:4"))
    }

    @Test func wrongUsageEndsWith2() throws {
        let process = try ChildProcess(ChildProcess.product("kaption-broker"), ["--topic", "no good:1"])
        #expect(process.wait() == 2)
    }

    @Test(arguments: [SIGTERM, SIGINT]) func aSignalEndsItWith0(signal: Int32) throws {
        let process = try ChildProcess(ChildProcess.product("kaption-broker"))
        #expect(try process.line(after: "bootstrap.servers=").hasPrefix("127.0.0.1:"))
        process.signal(signal)
        #expect(process.wait() == 0)
    }

    @Test(.enabled(if: ChildProcess.installed("kcat") != nil, "kcat is not installed"))
    func kcatSeesTheTopicsAndKeepsRecords() throws {
        let kcat = try #require(ChildProcess.installed("kcat"))
        let broker = try EmbeddedTestBroker(topics: ["a.b:3", "c:1"])
        let target = ["-b", broker.bootstrapServers]
        let listing = String(decoding: try ChildProcess.run(kcat, target + ["-L"]), as: UTF8.self)
        #expect(listing.contains("topic \"a.b\" with 3 partitions"))
        #expect(listing.contains("topic \"c\" with 1 partitions"))
        try ChildProcess.run(kcat, target + ["-P", "-t", "c", "-H", "h=1"], input: Data("x\ny\n".utf8))
        let read = try ChildProcess.run(
            kcat, target + ["-C", "-q", "-e", "-o", "beginning", "-t", "c", "-f", "%o %h %s;"])
        #expect(String(decoding: read, as: UTF8.self) == "0 h=1 x;1 h=1 y;")
        #expect(broker.stop() == 0)
    }
}
