import Foundation

/// One run as the command line asks for it.
struct RunSettings: Sendable {
    var mode: DeliveryMode
    var seed: Int
    var requests: Int
    var workers: Int
    var faults: Int
    var brokers: Int
    var kinds: [FaultKind]
    /// Requests a second; nil: so that they last as long as the faults do.
    var rate: Double?
    var isStatic: Bool
    var model: String
    /// Folder of the built programs.
    var programs: URL
    var kafkaLocal: URL
    /// Folder for the logs of runs.
    var logs: URL
    /// Whether those of a run that passed stay, too.
    var keepsLogs: Bool
    /// Options that all workers get besides.
    var workerArguments: [String]
    var isVerbose: Bool

    var shape: ClusterShape { ClusterShape(workers: workers, brokers: brokers) }
}
