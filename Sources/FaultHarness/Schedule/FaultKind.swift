/// The faults by the names that the command line gives them.
enum FaultKind: String, Sendable, CaseIterable {
    case killWorker = "kill-worker"
    case killAllWorkers = "kill-all-workers"
    case stopWorker = "stop-worker"
    case freezeWorker = "freeze-worker"
    case stallPoll = "stall-poll"
    case extraWorker = "extra-worker"
    case addPartitions = "add-partitions"
    case moveLeaders = "move-leaders"
    case restartBroker = "restart-broker"
    case pauseBroker = "pause-broker"
    case killBroker = "kill-broker"
    case hideStorage = "hide-storage"
    case spoilImage = "spoil-image"
    case deleteRequests = "delete-requests"

    var fault: any Fault.Type {
        switch self {
        case .killWorker: WorkerKill.self
        case .killAllWorkers: AllWorkersKill.self
        case .stopWorker: WorkerStop.self
        case .freezeWorker: WorkerFreeze.self
        case .stallPoll: PollStall.self
        case .extraWorker: ExtraWorker.self
        case .addPartitions: PartitionsAdded.self
        case .moveLeaders: LeadersMoved.self
        case .restartBroker: BrokerRestart.self
        case .pauseBroker: BrokerPause.self
        case .killBroker: BrokerKill.self
        case .hideStorage: StorageHidden.self
        case .spoilImage: ImageSpoilt.self
        case .deleteRequests: RequestsDeleted.self
        }
    }

    /// What it takes by and large, brokers' and workers' starts included.
    var typicalDuration: Duration {
        switch self {
        case .killWorker, .killAllWorkers, .stopWorker, .addPartitions: .seconds(3)
        case .spoilImage: .seconds(4)
        case .extraWorker, .pauseBroker, .restartBroker, .hideStorage: .seconds(8)
        case .freezeWorker, .killBroker, .moveLeaders: .seconds(11)
        case .stallPoll, .deleteRequests: .seconds(13)
        }
    }

    func isPossible(on shape: ClusterShape) -> Bool { self != .moveLeaders || shape.brokers > 1 }
}
