import Foundation
import Messaging
import Telemetry

/// Sends a request for each path of a sequence, at a rate, with a bounded number unacknowledged, and counts what becomes
/// of them.
struct Enqueuer {
    let topic: String
    let template: RequestTemplate
    let inFlight: InFlight
    let tally: Tally
    /// Numbers of the requests whose answers are waited for; nil without `--wait`.
    let awaited: SequenceSet?
    let resume: ResumeFile?
    let interruption: Interruption
    let reporter: Reporter

    /// Makes the client that `run` is to be given: its delivery reports end up in the counts.
    ///
    /// - Parameter timeout: how long a request may go without an acknowledgement, unless the user said so by `-X`.
    /// - Throws: `KafkaError` of category `.configuration`.
    func makeProducer(_ configuration: KafkaConfiguration, timeout: Duration) throws -> KafkaProducer {
        let names = ["message.timeout.ms", "delivery.timeout.ms"]
        let isSet = names.contains { configuration.properties[$0] != nil }
        let milliseconds = String(Int(timeout / .milliseconds(1)))
        return try KafkaProducer(
            configuration, properties: isSet ? [:] : ["message.timeout.ms": milliseconds],
            onError: { [reporter, interruption] error in
                reporter.kafka(error)
                if error.isFatal { interruption.raise(.failure("the Kafka client failed: \(error)")) }
            },
            onDelivery: { [self] report in take(report) })
    }

    /// Returns when all paths have been sent or the program is interrupted; acknowledgements may still be under way.
    ///
    /// - Parameter rate: images a second; nil for no limit.
    func run(_ paths: inout ImagePaths, producer: KafkaProducer, rate: Double?) {
        let start = ContinuousClock.now
        var bucket = rate.map { TokenBucket(rate: $0, now: .zero) }
        var number = 0
        while !interruption.isRaised, let path = paths.next() {
            switch path {
            case .problem(let path, let reason):
                tally.add(\.rejected)
                reporter.rejected(path: path, reason: reason)
            case .image(let image):
                if let resume, resume.contains(image) {
                    tally.add(\.skipped)
                    continue
                }
                let delay = bucket?.take(now: ContinuousClock.now - start) ?? .zero
                guard interruption.wait(delay) else { return }
                inFlight.waitForPlace()
                if interruption.isRaised { return }
                send(image, number: number, producer: producer)
                number += 1
            }
        }
    }

    private func send(_ image: String, number: Int, producer: KafkaProducer) {
        let token = UInt64(number)
        inFlight.begin(token, image: image)
        awaited?.insert(number)
        tally.add(\.enqueued)
        while true {
            do {
                try producer.produce(template.record(number: number, image: image), topic: topic, token: token)
                return
            } catch let error as KafkaError where error.category == .queueFull {
                // Fewer places in the client's queue than in ours (-X queue.buffering.max.…): acknowledgements make room.
                if producer.flush(timeout: .milliseconds(100)) || !interruption.isRaised { continue }
                fail(token, error)
            } catch {
                fail(token, error)
            }
            return
        }
    }

    private func take(_ report: DeliveryReport) {
        if let error = report.error {
            fail(report.token, error)
        } else {
            let image = inFlight.end(report.token)
            tally.add(\.delivered)
            if let resume, let image { resume.record(image) }
        }
    }

    private func fail(_ token: UInt64, _ error: any Error) {
        let image = inFlight.end(token)
        awaited?.remove(Int(token))
        tally.add(\.failed)
        reporter.undelivered(image: image ?? "", error: error)
    }
}
