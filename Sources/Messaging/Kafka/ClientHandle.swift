import CRdKafka
import Foundation
import Synchronization

/// What C calls back into: librdkafka keeps its address as the client's opaque pointer.
///
/// Log lines come from any of librdkafka's threads and only touch `log`, which never changes.
/// `@unchecked Sendable`: `consumer` is only touched by the thread that owns and polls the consumer; `errors` has a lock.
final class ClientContext: @unchecked Sendable {
    let log: @Sendable (KafkaLogLine) -> Void
    let statistics: (@Sendable (String) -> Void)?
    let tokenFile: OAuthTokenFile?
    private let kind: KafkaClientKind
    private let onRefusal: (@Sendable (KafkaError, KafkaClientKind) -> Void)?
    /// Of a consumer; see `KafkaConsumer.isJoining`. Set by a thread of librdkafka's.
    let isJoining = Atomic(false)
    private let errors = Mutex<[KafkaError]>([])
    /// Set by a consumer for its own callbacks; weak, because the consumer owns the handle that owns this.
    weak var consumer: KafkaConsumer?

    init(_ kind: KafkaClientKind, _ configuration: KafkaConfiguration) {
        self.kind = kind
        onRefusal = configuration.onRefusal
        log = configuration.log
        statistics = configuration.statistics
        tokenFile = configuration.tokenFile
    }

    /// Keeps an error that belongs to no call until the client's user takes it.
    func report(_ error: KafkaError) {
        notice(error)
        errors.withLock { $0.append(error) }
    }

    /// To be told of every error that the client meets, wherever it goes.
    func notice(_ error: KafkaError) { if error.isRefusal { onRefusal?(error, kind) } }

    /// The oldest error that was reported and not taken.
    func takeError() -> KafkaError? { errors.withLock { $0.isEmpty ? nil : $0.removeFirst() } }

    /// The context behind an opaque pointer that librdkafka hands back. It lives until the client is destroyed.
    static func from(_ opaque: UnsafeMutableRawPointer?) -> ClientContext? {
        opaque.map { Unmanaged<ClientContext>.fromOpaque($0).takeUnretainedValue() }
    }
}

/// Owns one `rd_kafka_t` and the reference that librdkafka has to its `ClientContext`.
///
/// `@unchecked Sendable`: the pointer never changes, librdkafka's client functions may be called from any thread, and
/// whoever calls one holds this object, so that the client outlives the call.
final class ClientHandle: @unchecked Sendable {
    let pointer: OpaquePointer
    let context: ClientContext
    /// Set where destroying is known to crash or hang: the client then stays until the process ends.
    /// Only written by a consumer's owning thread, before it lets go of the handle.
    var isAbandoned = false

    /// - Parameters:
    ///   - native: from `KafkaConfiguration.makeNative`; it is consumed, whether this succeeds or not.
    ///   - events: `RD_KAFKA_EVENT_…` that the client takes from its queue instead of by callbacks.
    init(
        _ type: rd_kafka_type_t, native: OpaquePointer, configuration: KafkaConfiguration, events: Int32 = 0,
        prepare: (OpaquePointer) -> Void = { _ in }
    ) throws {
        context = ClientContext(type == RD_KAFKA_CONSUMER ? .consumer : .producer, configuration)
        let opaque = Unmanaged.passRetained(context)
        rd_kafka_conf_set_opaque(native, opaque.toOpaque())
        rd_kafka_conf_set_log_cb(native, logCallback)
        if events != 0 {
            rd_kafka_conf_set_events(native, events)
        } else {
            rd_kafka_conf_set_error_cb(native, errorCallback)
            if configuration.statistics != nil { rd_kafka_conf_set_stats_cb(native, statisticsCallback) }
        }
        OAuthRefresh.prepare(native, configuration)
        prepare(native)
        var text = [CChar](repeating: 0, count: 512)
        guard let client = rd_kafka_new(type, native, &text, text.count) else {
            rd_kafka_conf_destroy(native)
            opaque.release()
            throw KafkaError.configuration("cannot make a Kafka client: \(string(ofTerminated: text))")
        }
        pointer = client
        try OAuthRefresh.start(client, configuration)
    }

    /// Destroying waits for librdkafka's threads and may take long, so it is done by a thread of its own.
    deinit {
        if isAbandoned { return }
        let doomed = DoomedClient(pointer: pointer, context: Unmanaged.passUnretained(context))
        Thread.detachNewThread {
            rd_kafka_destroy_flags(doomed.pointer, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE)
            doomed.context.release()
        }
    }

    /// What the client failed for, if it is beyond use.
    var fatalError: KafkaError? {
        var text = [CChar](repeating: 0, count: 512)
        let code = rd_kafka_fatal_error(pointer, &text, text.count)
        guard code != RD_KAFKA_RESP_ERR_NO_ERROR else { return nil }
        return KafkaError(code, string(ofTerminated: text), isFatal: true)
    }
}

/// The last reference to a client on its way to the thread that destroys it.
/// `@unchecked Sendable`: nobody else has it any more.
private struct DoomedClient: @unchecked Sendable {
    let pointer: OpaquePointer
    let context: Unmanaged<ClientContext>
}

private let logCallback: @convention(c) (OpaquePointer?, Int32, UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Void =
    {
        client, level, facility, text in
        guard let client, let context = ClientContext.from(rd_kafka_opaque(client)), let facility, let text else {
            return
        }
        let line = KafkaLogLine(level: Int(level), facility: String(cString: facility), message: String(cString: text))
        // One configuration serves consumers and producers, so that each is told of the other's properties: noise.
        if line.facility == "CONFWARN", line.message.contains("and will be ignored by this") { return }
        context.log(line)
    }

private let errorCallback:
    @convention(c) (OpaquePointer?, Int32, UnsafePointer<CChar>?, UnsafeMutableRawPointer?) -> Void = {
        client, code, text, opaque in
        guard let client, let context = ClientContext.from(opaque) else { return }
        let reported = rd_kafka_resp_err_t(rawValue: code)
        if reported == RD_KAFKA_RESP_ERR__FATAL {
            var buffer = [CChar](repeating: 0, count: 512)
            let cause = rd_kafka_fatal_error(client, &buffer, buffer.count)
            context.report(KafkaError(cause, string(ofTerminated: buffer), isFatal: true))
        } else {
            context.report(KafkaError(reported, text.map { String(cString: $0) }))
        }
    }

private let statisticsCallback:
    @convention(c) (OpaquePointer?, UnsafeMutablePointer<CChar>?, Int, UnsafeMutableRawPointer?) -> Int32 = {
        _, text, length, opaque in
        if let text, let context = ClientContext.from(opaque) {
            let bytes = UnsafeRawBufferPointer(start: text, count: length)
            context.statistics?(String(decoding: bytes, as: UTF8.self))
        }
        return 0
    }

/// A C string in a buffer of fixed size.
func string(ofTerminated buffer: [CChar]) -> String {
    String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

extension Duration {
    /// Whole milliseconds, within what librdkafka takes for a timeout.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        return Int32(min(max(seconds, 0), 2_000_000) * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
