import TestSupport
import Testing

@testable import FaultHarness

@Suite("Schedules")
struct ScheduleTests {
    private let shape = ClusterShape(workers: 3, brokers: 1)

    private func texts(seed: UInt64, count: Int = 10, kinds: [FaultKind] = FaultKind.allCases) -> [String] {
        Schedule(seed: seed, count: count, kinds: kinds, shape: shape).entries.map { "\($0.gap) \($0.fault)" }
    }

    @Test("a seed stands for one schedule")
    func seed() {
        #expect(texts(seed: 7) == texts(seed: 7))
        #expect(texts(seed: 7) != texts(seed: 8))
        #expect(texts(seed: 7).count == 10)
    }

    @Test("each kind comes once before any comes twice, and none that the shape has no room for")
    func kinds() {
        let possible = FaultKind.allCases.count - 1
        let entries = Schedule(seed: 3, count: possible, kinds: FaultKind.allCases, shape: shape).entries
        #expect(Set(entries.map(\.kind)).count == possible)
        #expect(!entries.contains { $0.kind == .moveLeaders })
        let three = ClusterShape(workers: 3, brokers: 3)
        let all = Schedule(seed: 3, count: possible + 1, kinds: FaultKind.allCases, shape: three).entries
        #expect(all.contains { $0.kind == .moveLeaders })
    }

    @Test("only the kinds that were asked for are drawn")
    func only() {
        let entries = Schedule(seed: 1, count: 5, kinds: [.killWorker], shape: shape).entries
        #expect(entries.map(\.kind) == Array(repeating: .killWorker, count: 5))
        #expect(Schedule(seed: 1, count: 5, kinds: [.moveLeaders], shape: shape).entries.isEmpty)
    }

    @Test("faults are drawn on workers and brokers that there are", arguments: 1...40)
    func ranges(_ seed: Int) {
        let shape = ClusterShape(workers: 2, brokers: 3)
        for entry in Schedule(seed: UInt64(seed), count: 14, kinds: FaultKind.allCases, shape: shape).entries {
            switch entry.fault {
            case let fault as WorkerKill: #expect((0..<2).contains(fault.slot))
            case let fault as WorkerFreeze: #expect((0..<2).contains(fault.slot) && fault.duration > .seconds(6))
            case let fault as ExtraWorker: #expect(fault.slot == 2)
            case let fault as BrokerKill: #expect((1...3).contains(fault.broker))
            case let fault as ImageSpoilt: #expect(PictureStore.names.indices.contains(fault.image))
            default: break
            }
        }
    }
}
