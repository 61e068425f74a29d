import CMicroHTTPD
import Glibc

/// Between libmicrohttpd, which calls these on its threads, and `Exchange`, which decides.
///
/// Who owns what: the library's connection holds one reference to our `Connection` from its opening to its closing; its
/// request holds one to the `Exchange` from the request line to completion; its response holds one to a `ResponseStream`.
enum Callbacks {
    /// - Parameter core: must outlive the daemon.
    static func table(_ core: ServerCore) -> kaption_http_callbacks {
        kaption_http_callbacks(
            context: Unmanaged.passUnretained(core).toOpaque(),
            handle: { _, connection, _, method, _, bytes, count, context in
                guard let connection, let method, let count, let exchange = context?.pointee else { return .NO }
                let upload = UnsafeRawBufferPointer(start: bytes, count: count.pointee)
                count.pointee = 0
                return Callbacks.handle(
                    Unmanaged<Exchange>.fromOpaque(exchange).takeUnretainedValue(), MHDConnection(pointer: connection),
                    method: method, upload: upload)
            },
            completed: { core, _, context, _ in
                guard let core, let opaque = context?.pointee else { return }
                context?.pointee = nil
                let exchange = Unmanaged<Exchange>.fromOpaque(opaque).takeRetainedValue()
                exchange.connection.stream?.markOver()
                Unmanaged<ServerCore>.fromOpaque(core).takeUnretainedValue().awaitRequest(exchange.connection)
            },
            connection_changed: { core, connection, context, change in
                guard let core, let connection, let context else { return }
                let server = Unmanaged<ServerCore>.fromOpaque(core).takeUnretainedValue()
                if change == .CONNECTION_NOTIFY_STARTED {
                    let opened = Connection(descriptor: kaption_http_descriptor(connection))
                    context.pointee = Unmanaged.passRetained(opened).toOpaque()
                    server.opened(opened)
                } else if let opaque = context.pointee {
                    context.pointee = nil
                    server.closing(Unmanaged<Connection>.fromOpaque(opaque).takeRetainedValue())
                }
            },
            request_began: { core, target, connection in
                guard let core, let connection, let context = kaption_http_connection_context(connection) else {
                    return nil
                }
                let exchange = Exchange(
                    core: Unmanaged<ServerCore>.fromOpaque(core).takeUnretainedValue(),
                    connection: Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue(),
                    target: target.map { Array(UnsafeRawBufferPointer(start: $0, count: strlen($0))) } ?? [])
                return Unmanaged.passRetained(exchange).toOpaque()
            })
    }

    /// The library calls this once for the head, then for each part of the body, then once for the end, with no bytes.
    private static func handle(
        _ exchange: Exchange, _ connection: MHDConnection, method: UnsafePointer<CChar>, upload: UnsafeRawBufferPointer
    ) -> MHD_Result {
        let step =
            if !exchange.hasBegun {
                exchange.begin(method: String(cString: method), headers: headers(of: connection))
            } else if upload.isEmpty {
                exchange.finish()
            } else {
                exchange.receive(upload)
            }
        switch step {
        case .proceed: return .YES
        case .abort: return .NO
        case .answer(let response):
            return answer(exchange, connection, response, andClose: exchange.core.isDraining)
        case .answerAndClose(let response): return answer(exchange, connection, response, andClose: true)
        }
    }

    private static func headers(of connection: MHDConnection) -> [(name: String, value: String)] {
        final class List { var pairs: [(name: String, value: String)] = [] }
        let list = List()
        MHD_get_connection_values_n(
            connection.pointer, .HEADER_KIND,
            { list, _, name, nameCount, value, valueCount in
                guard let list else { return .YES }
                let name = UnsafeRawBufferPointer(start: name, count: nameCount)
                let value = UnsafeRawBufferPointer(start: value, count: valueCount)
                Unmanaged<List>.fromOpaque(list).takeUnretainedValue().pairs.append(
                    (String(decoding: name, as: UTF8.self).lowercased(), String(decoding: value, as: UTF8.self)))
                return .YES
            }, Unmanaged.passUnretained(list).toOpaque())
        return list.pairs
    }

    private static func answer(
        _ exchange: Exchange, _ connection: MHDConnection, _ response: Response, andClose: Bool
    ) -> MHD_Result {
        var stream: ResponseStream?
        let made: OpaquePointer?
        switch response.content {
        case .bytes(let bytes):
            exchange.connection.enter(.answer, bytes: bytes.count)
            made = bytes.withUnsafeBytes {
                MHD_create_response_from_buffer(
                    $0.count, UnsafeMutableRawPointer(mutating: $0.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .stream:
            let opened = self.stream(exchange, connection)
            stream = opened
            made = MHD_create_response_from_callback(
                UInt64.max, 16 << 10,
                { stream, _, buffer, size in
                    guard let stream else { return kaption_http_end_with_error }
                    return Unmanaged<ResponseStream>.fromOpaque(stream).takeUnretainedValue()
                        .read(into: UnsafeMutableRawBufferPointer(start: buffer, count: size))
                },
                Unmanaged.passRetained(opened).toOpaque(),
                { stream in
                    if let stream { Unmanaged<ResponseStream>.fromOpaque(stream).release() }
                })
        }
        guard let made else { return .NO }
        defer { MHD_destroy_response(made) }
        var headers = response.headers
        if andClose { headers["Connection"] = "close" }
        // libmicrohttpd 0.9.75 would send a last chunk even for HEAD.
        if stream != nil, exchange.method == "HEAD" { kaption_http_end_by_closing(made) }
        for (name, value) in headers where MHD_add_response_header(made, name, value) == .NO {
            exchange.core.report("the header \(name) of an answer cannot be sent: \(value)")
            stream?.markOver()
            return answer(exchange, connection, HTTPError.internal.response, andClose: true)
        }
        let queued = MHD_queue_response(connection.pointer, UInt32(response.status), made)
        if let stream, case .stream(let open) = response.content {
            if queued == .YES, exchange.method != "HEAD" { open(stream) } else { stream.finish() }
        }
        return queued
    }

    private static func stream(_ exchange: Exchange, _ connection: MHDConnection) -> ResponseStream {
        let client = exchange.connection
        let stream = ResponseStream(
            connection: connection, limit: exchange.core.limits.streamQueueBytes, cutConnection: { client.abort() })
        client.enter(.stream(stream))
        // Whoever stops the server sees the stream or is seen by it.
        if exchange.core.isDraining { stream.finish() }
        return stream
    }
}
