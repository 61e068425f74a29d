import Dispatch
import Synchronization

/// What all threads of one server share.
final class ServerCore: Sendable {
    let router: Router
    let limits: Limits
    let report: @Sendable (String) -> Void
    private let connections = Mutex<[ObjectIdentifier: Connection]>([:])
    private let openConnections = DispatchGroup()
    /// One for each further connection that may be opened. Counted up from 0: a semaphore that goes while it has less than it
    /// began with stops the program.
    let freePlaces = DispatchSemaphore(value: 0)
    private let bodyBytes = Atomic(0)
    private let draining = Atomic(false)

    init(routes: [Route], limits: Limits, report: @escaping @Sendable (String) -> Void) {
        router = Router(routes: routes)
        self.limits = limits
        self.report = report
        for _ in 0..<max(limits.connections, 1) { freePlaces.signal() }
    }

    // MARK: Connections

    func opened(_ connection: Connection) {
        openConnections.enter()
        connections.withLock { $0[ObjectIdentifier(connection)] = connection }
        awaitRequest(connection)
    }

    /// To be called before the socket is closed.
    func closing(_ connection: Connection) {
        connection.willClose()
        connections.withLock { _ = $0.removeValue(forKey: ObjectIdentifier(connection)) }
        openConnections.leave()
        freePlaces.signal()
    }

    func awaitRequest(_ connection: Connection) {
        connection.enter(.head)
        if isDraining { connection.stopReading() }
    }

    func enforceLimits() {
        let now = ContinuousClock.now
        let connections = allConnections
        let isFull = connections.count >= limits.connections
        for connection in connections { connection.enforce(limits, isFull: isFull, now: now) }
    }

    private var allConnections: [Connection] { connections.withLock { Array($0.values) } }

    // MARK: Stopping

    /// Whether requests under way are the last ones.
    var isDraining: Bool { draining.load(ordering: .sequentiallyConsistent) }

    /// From now on each answer ends its connection.
    func beginDraining() { draining.store(true, ordering: .sequentiallyConsistent) }

    /// Lets requests under way end, for so long; then ends them. Afterwards no stream waits to be resumed. After `beginDraining`.
    func drain(within patience: Duration) {
        for connection in allConnections {
            if connection.isBetweenRequests { connection.stopReading() }
            connection.stream?.finish()
        }
        let nanoseconds = patience.components.seconds * 1_000_000_000 + patience.components.attoseconds / 1_000_000_000
        guard openConnections.wait(timeout: .now() + .nanoseconds(Int(nanoseconds))) == .timedOut else { return }
        for connection in allConnections {
            connection.stream?.markOver()
            connection.abort()
        }
    }

    // MARK: Memory for bodies

    /// Whether so many more bytes may be kept; if so, they must be given back.
    func takeBodyBytes(_ count: Int) -> Bool {
        let total = bodyBytes.wrappingAdd(count, ordering: .relaxed).newValue
        if total <= limits.bodyBytesInMemory { return true }
        giveBackBodyBytes(count)
        return false
    }

    func giveBackBodyBytes(_ count: Int) { bodyBytes.wrappingSubtract(count, ordering: .relaxed) }
}
