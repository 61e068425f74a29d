import CommandLineOptions
import Foundation
import Messaging
import Telemetry

/// Reaching Kafka, as the command line says.
struct KafkaAccess {
    let configuration: KafkaConfiguration

    /// - Parameter rights: what the program is going to use, so that a refusal can name what is missing.
    /// - Throws: `KafkaError` of category `.configuration` for a property that is not accepted.
    init(_ options: ParsedOptions, rights: [KafkaRight], reporter: Reporter) throws {
        var configuration = KafkaConfiguration(
            bootstrapServers: options[SharedOptions.bootstrapServers], clientID: "kaption-enqueue")
        try configuration.passThrough(
            options[SharedOptions.properties].map { "\($0.key)=\($0.value)" }, owned: .producer)
        for (name, value) in options.secrets {
            try configuration.setSecret(name.replacing("-", with: "."), value)
        }
        if let path = options[SharedOptions.oauthTokenFile] {
            try configuration.setTokenFile(OAuthTokenFile(path: path))
        }
        reporter.advise { [configuration] error in configuration.remedy(for: error, needing: rights) }
        configuration.log = { line in
            reporter.log(line.level <= 3 ? .warning : .debug, "librdkafka", ["reason": "\(line.message)"])
        }
        self.configuration = configuration
    }

    /// Waits until brokers answer and checks that the topics are there. Returns how many partitions each topic has.
    ///
    /// - Throws: `KafkaError`; `MissingTopic`.
    func partitionCounts(
        of topics: [String], timeout: Duration, interruption: Interruption
    ) throws -> [String: Int] {
        let admin = try KafkaAdmin(configuration)
        let end = ContinuousClock.now + timeout
        while true {
            let left = ContinuousClock.now.duration(to: end)
            do {
                // In short pieces, so that Ctrl-C is heard.
                let metadata = try admin.metadata(timeout: min(.seconds(1), max(left, .milliseconds(1))))
                for topic in topics where metadata.partitionCounts[topic] == nil {
                    if !metadata.isMock { try admin.checkAccess(topics: [topic], group: nil, timeout: timeout) }
                    throw MissingTopic(name: topic)
                }
                return metadata.partitionCounts
            } catch let error as KafkaError where error.category == .unreachable {
                if left <= .seconds(1) || interruption.isRaised { throw error }
            }
        }
    }
}

/// A topic that the cluster does not have.
struct MissingTopic: Error, CustomStringConvertible {
    let name: String

    var description: String {
        "the topic '\(name)' does not exist: start a kaption-worker, which makes its topics, or create it"
    }
}
