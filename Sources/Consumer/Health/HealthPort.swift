import CommandLineOptions
import HTTPServer
import Telemetry

/// The worker's HTTP server, for orchestrators and Prometheus: `/healthz`, `/readyz` and `/metrics`.
///
/// It has threads of its own and asks nobody who may be stuck, so that it answers while the poll thread or the pool hangs, and
/// it is up before anything else of the worker.
struct HealthPort {
    let server: HTTPServer

    /// Listens from the return on.
    init(
        _ address: HostAndPort, readiness: Readiness, watchdog: Watchdog, registry: MetricsRegistry, logger: Logger
    ) throws(WorkerFailure) {
        var limits = Limits()
        limits.connections = 64
        limits.bodyBytesInMemory = 0
        limits.timeout = .seconds(10)
        do {
            server = try HTTPServer(
                host: address.host, port: address.port, threads: 2, limits: limits,
                report: { logger.error("health port: \($0)") },
                routes: [
                    Route("GET", "/healthz") { _ in try Self.health(watchdog) },
                    Route("GET", "/readyz") { _ in try Self.readiness(readiness) },
                    Route("GET", "/metrics") { _ in
                        Response(contentType: MetricsRegistry.textContentType, body: Array(registry.text().utf8))
                    },
                ])
        } catch {
            throw WorkerFailure(.failed, "--http \(address): \(error)")
        }
        logger.info("health port", metadata: ["http": .string("\(HostAndPort(host: address.host, port: server.port))")])
    }

    private static func health(_ watchdog: Watchdog) throws -> Response {
        struct Health: Encodable {
            struct Stall: Encodable {
                let topic: String
                let partition: Int32
                let committed: Int64?
                let seconds: Double
            }
            let status: String
            let stalled: [Stall]
        }
        let now = MonotonicTime.now
        let stalls = watchdog.stalls.map {
            Health.Stall(
                topic: $0.partition.topic, partition: $0.partition.partition, committed: $0.committed,
                seconds: (now - $0.since).seconds)
        }
        if !watchdog.isAwake(now: now) { return try .json(status: 503, Health(status: "unwatched", stalled: stalls)) }
        if !stalls.isEmpty { return try .json(status: 503, Health(status: "stalled", stalled: stalls)) }
        return try .json(Health(status: "live", stalled: []))
    }

    private static func readiness(_ readiness: Readiness) throws -> Response {
        struct Report: Encodable {
            struct Unmet: Encodable {
                let condition: String
                let reason: String
                let seconds: Double
            }
            let status: String
            let unmet: [Unmet]
        }
        let now = MonotonicTime.now
        let unmet = readiness.unmet.map {
            Report.Unmet(condition: $0.condition.rawValue, reason: $0.reason, seconds: (now - $0.since).seconds)
        }
        return try .json(
            status: unmet.isEmpty ? 200 : 503, Report(status: unmet.isEmpty ? "ready" : "not ready", unmet: unmet))
    }
}
