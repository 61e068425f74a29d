/// Structured logs: a level, a label, a message and key-value metadata, one line each. Shaped like swift-log.
///
/// ```swift
/// let logger = Logger(label: "kaption-worker", form: options[SharedOptions.log], level: options[SharedOptions.logLevel])
/// logger.info("assigned", metadata: ["partition": 3, "offset": 42])
/// var partition = logger
/// partition[metadataKey: "partition"] = 3       // on each of this logger's lines
/// ```
///
/// A value, cheap to copy; copies share the sink. Any thread may log. Secrets must not be put in: nothing is redacted
/// here.
public struct Logger: Sendable {
    public enum Level: String, Sendable, CaseIterable, Comparable {
        case trace, debug, info, notice, warning, error, critical

        public static func < (left: Level, right: Level) -> Bool { left.order < right.order }

        private var order: Int {
            switch self {
            case .trace: 0
            case .debug: 1
            case .info: 2
            case .notice: 3
            case .warning: 4
            case .error: 5
            case .critical: 6
            }
        }
    }

    public typealias Metadata = [String: MetadataValue]

    public let label: String
    /// The least level that is written.
    public var level: Level
    /// On every line; a line's own metadata goes before it.
    public var metadata: Metadata = [:]
    private let sink: LogSink

    public init(label: String, level: Level = .info, sink: LogSink) {
        self.label = label
        self.level = level
        self.sink = sink
    }

    /// Logs to standard error, form and level by their names on the command line (`SharedOptions.log`, `.logLevel`).
    /// Names that are not known there mean text and info.
    public init(label: String, form: String, level: String) {
        self.init(
            label: label, level: Level(rawValue: level) ?? .info, sink: LogSink(form: .init(rawValue: form) ?? .text))
    }

    public subscript(metadataKey key: String) -> MetadataValue? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    /// Writes one line if the level is high enough; else nothing of the arguments is computed.
    public func log(level: Level, _ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        guard level >= self.level else { return }
        let all = self.metadata.isEmpty ? metadata() : self.metadata.merging(metadata()) { _, own in own }
        sink.write(level: level, label: label, message: message(), metadata: all)
    }

    public func trace(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .trace, message(), metadata: metadata())
    }

    public func debug(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .debug, message(), metadata: metadata())
    }

    public func info(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .info, message(), metadata: metadata())
    }

    public func notice(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .notice, message(), metadata: metadata())
    }

    public func warning(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .warning, message(), metadata: metadata())
    }

    public func error(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .error, message(), metadata: metadata())
    }

    public func critical(_ message: @autoclosure () -> String, metadata: @autoclosure () -> Metadata = [:]) {
        log(level: .critical, message(), metadata: metadata())
    }
}
