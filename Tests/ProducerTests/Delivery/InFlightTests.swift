import Foundation
import Synchronization
import Testing

@testable import Producer

struct InFlightTests {
    @Test func neverMoreThanTheLimit() throws {
        let inFlight = InFlight(limit: 3, interruption: try Interruption())
        let present = Mutex((now: 0, most: 0))
        let sent = DispatchQueue(label: "acknowledge")
        for token in 0..<200 as Range<UInt64> {
            inFlight.waitForPlace()
            inFlight.begin(token, image: "\(token).jpg")
            present.withLock {
                $0.now += 1
                $0.most = max($0.most, $0.now)
            }
            sent.async {
                present.withLock { $0.now -= 1 }
                #expect(inFlight.end(token) == "\(token).jpg")
            }
        }
        sent.sync {}
        #expect(present.withLock { $0.most } <= 3)
        #expect(inFlight.end(7) == nil)
    }

    @Test func anInterruptionWakesTheWaiting() throws {
        let interruption = try Interruption()
        let inFlight = InFlight(limit: 1, interruption: interruption)
        inFlight.waitForPlace()
        DispatchQueue.global().async { interruption.raise(.failure("test")) }
        inFlight.waitForPlace()
        #expect(interruption.isRaised)
    }
}
