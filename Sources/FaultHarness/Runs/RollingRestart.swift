import Foundation

/// All workers restarted one after another while the load flows, as a deployment does it; measures what the readers of the
/// results notice.
struct RollingRestart {
    /// Enough for several answers a second from each partition.
    private static let standardRate = 40.0
    /// What a restart may cost: see issue bounds in docs/chaos.md.
    static let longestGap = Duration.seconds(1)
    static let longestResumption = Duration.seconds(3)

    struct Step: Sendable {
        var slot: Int
        /// The longest gap between answers of a partition that one worker had all the time.
        var gap: Duration
        var untouched: Int
        /// From the new process's start to its first answer.
        var resumption: Duration
        /// Assignments that the other workers' logs tell of.
        var rebalances: Int
    }

    let settings: RunSettings

    func run() throws -> (report: RunReport, steps: [Step]) {
        let frame = try RunFrame(
            settings, name: "rolling-restart-\(settings.isStatic ? "static" : "dynamic")",
            rate: settings.rate ?? Self.standardRate)
        var steps: [Step] = []
        do {
            try frame.begin()
            frame.load.allow(upTo: settings.requests)
            try settle(frame.stage)
            for slot in 0..<settings.workers { steps.append(try restart(slot, frame)) }
            frame.load.allowNoMore()
            try frame.end()
            var report = try frame.judge()
            report.faults = settings.workers
            for step in steps { report.objections += objections(to: step) }
            frame.tearDown(keepingLogs: settings.keepsLogs || !report.isPassed)
            return (report.isPassed ? report : report.with(logs: frame.folder), steps)
        } catch {
            frame.tearDown(keepingLogs: true)
            return (RunReport(settings).with(objection: "\(error)").with(logs: frame.folder), steps)
        }
    }

    private func restart(_ slot: Int, _ frame: RunFrame) throws -> Step {
        let stage = frame.stage
        let others = stage.workers.running.filter { $0 != slot }
        func rebalances() -> Int { others.reduce(0) { $0 + WorkerLog(file: stage.workers.log($1)).rebalances } }
        let before = rebalances()
        let known = Set(frame.watch.sightings.map(\.worker))
        let start = ContinuousClock.now
        stage.journal.note("restarting worker \(slot)")
        stage.workers.stop([slot])
        let spawned = ContinuousClock.now
        try stage.workers.start([slot])
        // A static member keeps its name; a dynamic one is a worker not seen before.
        func isRestarted(_ sighting: ResultWatch.Sighting) -> Bool {
            settings.isStatic ? sighting.worker == "worker-\(slot)" : !known.contains(sighting.worker)
        }
        var first: ContinuousClock.Instant?
        _ = try stage.eventually(within: .seconds(60)) {
            first = frame.watch.sightings.first { $0.time > spawned && isRestarted($0) }?.time
            return first != nil
        }
        guard let first else { throw HarnessError("worker \(slot) answered nothing within 60 s of its restart") }
        // The partitions that it got back were somebody else's until now.
        try settle(stage)
        let end = ContinuousClock.now
        let sightings = frame.watch.sightings.filter { $0.time >= start - .seconds(2) }
        let workers = Dictionary(grouping: sightings, by: \.request.partition).mapValues { Set($0.map(\.worker)) }
        let gaps = Stalls.longestGaps(in: start...end, sightings: sightings).filter {
            workers[$0.key]?.count == 1
                && !sightings.contains { [key = $0.key] in
                    $0.request.partition == key && isRestarted($0)
                }
        }
        return Step(
            slot: slot, gap: gaps.values.max() ?? .zero, untouched: gaps.count, resumption: first - spawned,
            rebalances: rebalances() - before)
    }

    /// Waits until no worker's partitions have changed for a while, longer than members take to hear of a rebalance.
    private func settle(_ stage: Stage) throws {
        var last = (changes: -1, time: ContinuousClock.now)
        let isSettled = try stage.eventually(within: .seconds(60)) {
            let changes = stage.workers.running.reduce(0) { $0 + WorkerLog(file: stage.workers.log($1)).rebalances }
            if changes != last.changes { last = (changes, .now) }
            return ContinuousClock.now - last.time > .seconds(5)
        }
        if !isSettled { throw HarnessError("the group did not settle within 60 s") }
    }

    private func objections(to step: Step) -> [String] {
        var objections: [String] = []
        if settings.isStatic {
            if step.rebalances > 0 {
                objections.append("the restart of worker \(step.slot) caused \(step.rebalances) changes of assignment")
            }
            if step.resumption > Self.longestResumption {
                objections.append("worker \(step.slot) answered \(step.resumption.text) after its restart")
            }
        } else if step.gap >= Self.longestGap {
            objections.append("an untouched partition stood still for \(step.gap.text)")
        }
        if step.untouched == 0 { objections.append("no partition was left untouched") }
        return objections
    }
}
