import Foundation

/// One seed: the load flows, and the schedule's faults strike one after another.
struct FaultRun {
    let settings: RunSettings

    func run() throws -> RunReport {
        let schedule = Schedule(
            seed: UInt64(settings.seed), count: settings.faults, kinds: settings.kinds, shape: settings.shape)
        let rate = settings.rate ?? Double(settings.requests) / max(10, schedule.typicalDuration.inSeconds)
        let frame = try RunFrame(settings, name: "seed-\(settings.seed)-\(settings.mode.rawValue)", rate: rate)
        do {
            try frame.begin()
            try strike(schedule, frame)
            try frame.end()
            let report = try frame.judge()
            frame.tearDown(keepingLogs: settings.keepsLogs || !report.isPassed)
            return report.isPassed ? report : report.with(logs: frame.folder)
        } catch {
            frame.stage.journal.note("the run ends here: \(error)")
            frame.stage.workers.kill(frame.stage.workers.running)
            // What there is may say more than the error alone.
            let report = (try? frame.judge()) ?? RunReport(settings)
            frame.tearDown(keepingLogs: true)
            return report.with(objection: "\(error)").with(logs: frame.folder)
        }
    }

    private func strike(_ schedule: Schedule, _ frame: RunFrame) throws {
        let stage = frame.stage
        let count = schedule.entries.count
        for (index, entry) in schedule.entries.enumerated() {
            frame.load.allow(upTo: settings.requests * (index + 1) / (count + 1))
            stage.hold(for: entry.gap)
            try stage.workers.supervise()
            stage.journal.note("fault \(index + 1) of \(count), \(entry.kind.rawValue): \(entry.fault)")
            try entry.fault.strike(stage)
            stage.journal.note("fault \(index + 1) of \(count) is over")
        }
        frame.load.allow(upTo: settings.requests)
    }
}
