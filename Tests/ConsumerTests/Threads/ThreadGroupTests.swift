import Foundation
import Testing

@testable import Consumer

@Suite("Threads that nobody joins") struct ThreadGroupTests {
    private func mappings() throws -> Int {
        try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).count { $0 == "\n" }
    }

    @Test("their stacks go with them")
    func stacks() throws {
        let group = ThreadGroup()
        let before = try mappings()
        for _ in 0..<2000 {
            try group.start("short", count: 1, stackBytes: 1 << 18) {}
            #expect(group.waitUntilEnded(until: .now + .seconds(60)))
        }
        #expect(try mappings() < before + 1000)
    }
}
