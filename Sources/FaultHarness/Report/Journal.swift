import Foundation
import Telemetry

/// What the harness did and when, on standard error and in a file beside the workers' logs, with the same kind of time stamp.
struct Journal: Sendable {
    private let loggers: [Logger]

    init(file: URL, isVerbose: Bool) {
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        var loggers = [Logger(label: "chaos", sink: LogSink(form: .text, descriptor: descriptor))]
        if isVerbose { loggers.append(Logger(label: "chaos", sink: LogSink(form: .text))) }
        self.loggers = loggers
    }

    func note(_ text: String, metadata: Logger.Metadata = [:]) {
        for logger in loggers { logger.info(text, metadata: metadata) }
    }
}
