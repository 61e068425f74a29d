import CommandLineOptions
import Inference
import Messaging
import Telemetry

/// Metrics that are read from the worker's parts when somebody asks; what happens is counted by `Counters`.
struct WorkerMetrics {
    let registry: MetricsRegistry

    /// What can be told before the worker has its parts.
    func declare(_ readiness: Readiness, _ watchdog: Watchdog) {
        registry.gauge("kaption_build_info", "Always 1; the version is its label", labels: ["version"]) {
            [([Kaption.version], 1)]
        }
        registry.gauge("kaption_ready", "1 if the worker can do its work now, else 0") {
            [([], readiness.unmet.isEmpty ? 1 : 0)]
        }
        registry.gauge(
            "kaption_condition_met",
            "1 if a condition of readiness holds, else 0: model_warm, group_joined, storage, breaker (closed), kafka, access",
            labels: ["condition"]
        ) { Readiness.Condition.allCases.map { ([$0.rawValue], readiness.holds($0) ? 1 : 0) } }
        registry.counter(
            "kaption_condition_losses_total", "Times that a condition of readiness held and then did not",
            labels: ["condition"]
        ) { Readiness.Condition.allCases.map { ([$0.rawValue], Double(readiness.losses(of: $0))) } }
        registry.gauge(
            "kaption_watermark_stalled_seconds",
            "For how long the commit watermark of a partition with work has stood still, where that is too long",
            labels: ["topic", "partition"]
        ) {
            let now = MonotonicTime.now
            return watchdog.stalls.map {
                ([$0.partition.topic, "\($0.partition.partition)"], (now - $0.since).seconds)
            }
        }
    }

    func declare(_ model: ModelIdentity, threads: Int) {
        registry.gauge(
            "kaption_model_info", "Always 1; the model that is served is its labels",
            labels: ["name", "version", "digest", "precision"]
        ) { [([model.name, model.version, model.digest, model.precision], 1)] }
        registry.gauge("kaption_pool_threads", "Threads that caption").record(Double(threads))
    }

    func declare(_ ledger: Ledger<Answer>, _ traffic: KafkaTraffic) {
        registry.counter(
            "kaption_kafka_received_bytes_total", "Bytes that the brokers sent to the consumer, protocol included"
        ) { [([], Double(traffic.current.received))] }
        registry.gauge("kaption_window_requests", "Requests in the window: taken, their answers not yet safe in Kafka")
        {
            [([], Double(ledger.occupancy.requests))]
        }
        registry.gauge("kaption_window_bytes", "Bytes of the requests in the window") {
            [([], Double(ledger.occupancy.bytes))]
        }
        registry.gauge("kaption_partitions_assigned", "Partitions that this worker has now") {
            [([], Double(ledger.progress.count))]
        }
    }

    /// - Parameter lengths: how many wait in each queue, by its name.
    func declareQueues(_ lengths: [String: @Sendable () -> Int]) {
        registry.gauge(
            "kaption_queue_length",
            "Requests that wait: to be read (or tried again) by an I/O thread, as images for a pool thread",
            labels: ["queue"]
        ) { lengths.map { ([$0.key], Double($0.value())) } }
    }
}
