import CRdKafka

/// Records partition by partition, for a consumer that was made with an `ArrivalSignal`: the program chooses which partition
/// to take from, and what it does not take stays where librdkafka fetched it to. That takes the place of `pause`, which
/// throws away what was fetched, so that it is fetched again. `poll` then gives errors and serves rebalances only.
extension KafkaConsumer {
    /// The next record of an assigned partition that has been fetched, or an error of that partition; nil if there is
    /// nothing now. It never waits.
    public func take(from partition: TopicPartition) -> ConsumerEvent? {
        var next: ConsumerEvent?
        take(from: partition) { event in
            next = event
            return false
        }
        return next
    }

    /// The same for one after the other, until there is nothing more or `wantsMore` has had enough.
    public func take(from partition: TopicPartition, _ wantsMore: (ConsumerEvent) -> Bool) {
        guard let queue = recordQueues[partition] else { return }
        var goesOn = true
        // The same call within librdkafka as rd_kafka_consumer_poll's, on another queue.
        while goesOn, let native = rd_kafka_consume_queue(queue.pointer, 0) {
            goesOn = wantsMore(event(native, topic: partition.topic))
            rd_kafka_message_destroy(native)
        }
    }

    /// Gives each partition a queue of its own. Before librdkafka begins to fetch it: a queue that the program has
    /// redirected is left alone then, so that nothing goes to the common queue in between.
    func separate(_ partitions: some Sequence<TopicPartition>) {
        guard let arrivals else { return }
        for partition in partitions where recordQueues[partition] == nil {
            guard
                let queue = rd_kafka_queue_get_partition(handle.pointer, partition.topic, partition.partition)
            else { continue }
            rd_kafka_queue_forward(queue, nil)
            recordQueues[partition] = WatchedQueue(queue, of: handle, signal: arrivals)
        }
    }

    /// The queue that rebalances and errors come by signals too.
    func watchEvents() {
        guard let arrivals, let queue = rd_kafka_queue_get_consumer(handle.pointer) else { return }
        eventQueue = WatchedQueue(queue, of: handle, signal: arrivals)
    }

    func stopWatching() {
        recordQueues = [:]
        eventQueue = nil
    }
}
