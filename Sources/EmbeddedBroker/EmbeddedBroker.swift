import CommandLineOptions
import Foundation

/// `kaption-broker`: starts the in-memory cluster, says where it is, and stays until a signal.
@main
struct EmbeddedBroker {
    static func main() {
        let options = Flags.command.parseOrExit()
        // Blocked before any thread is made, so that all inherit it and only `sigwait` below takes these signals.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        do {
            let cluster = try MockCluster(topics: options[Flags.topics])
            print("bootstrap.servers=\(cluster.bootstrapServers)")
            fflush(nil)
            var received: Int32 = 0
            sigwait(&signals, &received)
            cluster.stop()
        } catch {
            FileHandle.standardError.write(Data("kaption-broker: \(error)\n".utf8))
            ExitCode.failed.exit()
        }
    }
}

enum Flags {
    static let topics = Option.repeated(
        "topic", .topic, "NAME:PARTITIONS",
        default: ["captions.requests:4", "captions.results:4", "captions.dead-letters:1"],
        help: "A topic to make. May be repeated; then only these are made.")

    static let command = Command(
        name: "kaption-broker",
        abstract: "An in-memory Kafka broker for trials and tests. Everything in it is lost when it ends.",
        discussion: """
            This is librdkafka's own mock cluster on a port of 127.0.0.1 that the system chooses. Topics, consumer groups,
            commits and headers work. It is not for production: nothing is written to disk, a partition holds at most 5 MiB
            or 100,000 records (the oldest go), transactions are accepted but not real, topics cannot be created by request
            (an unknown topic that is asked for appears with 4 partitions), and a group's first join takes 3 s.

            When it is ready it prints one line, bootstrap.servers=HOST:PORT. It runs until SIGTERM or SIGINT.
            """,
        sections: [Section("Topics", [topics])],
        examples: [
            Example("The topics of Kaption", "kaption-broker"),
            Example("One topic of eight partitions", "kaption-broker --topic captions.requests:8"),
        ])
}
