import Messaging

/// How much librdkafka fetches ahead. Its limits are for each partition, so they are made such that all partitions of the
/// requests' topics together stay within these bounds, however many they are and whoever has them.
struct Prefetch: Sendable, Equatable {
    private static let totalKilobytes = 64 << 10
    private static let totalMessages = 100_000

    let kilobytes: Int
    let messages: Int

    /// Not less than a fetch brings, nor than keeps a worker busy for the second that fetching rests when the queue is full.
    init(partitions: Int) {
        kilobytes = min(max(Self.totalKilobytes / max(1, partitions), 1024), 16 << 10)
        messages = min(max(Self.totalMessages / max(1, partitions), 1000), Self.totalMessages)
    }

    /// What the user has set stays.
    func apply(to kafka: inout KafkaConfiguration) {
        for (name, value) in [("queued.max.messages.kbytes", kilobytes), ("queued.min.messages", messages)]
        where kafka.properties[name] == nil {
            kafka.set(name, String(value))
        }
    }
}
