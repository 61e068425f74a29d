/// One request from its request line to its answer: what is decided about it, apart from libmicrohttpd's ways.
///
/// Lives on its connection's thread.
final class Exchange {
    enum Step {
        /// Wait for more of the request.
        case proceed
        case answer(Response)
        /// Answer without reading the rest of the request, and close.
        case answerAndClose(Response)
        /// Close.
        case abort
    }

    let core: ServerCore
    let connection: Connection
    private let target: [UInt8]
    private(set) var hasBegun = false
    private(set) var method = ""
    private var headers: [(name: String, value: String)] = []
    private var queryItems: [RequestTarget.QueryItem] = []
    private var path = ""
    private var match: (route: Route, parameters: [String: String])?
    private var declaredLength: Int?
    private var body: [UInt8] = []
    private var received = 0
    /// Why the request is refused; the rest of its body is thrown away.
    private var refusal: HTTPError?

    init(core: ServerCore, connection: Connection, target: [UInt8]) {
        self.core = core
        self.connection = connection
        self.target = target
    }

    deinit { core.giveBackBodyBytes(body.count) }

    /// The head is complete. `headers` have lowercase names.
    func begin(method: String, headers: [(name: String, value: String)]) -> Step {
        hasBegun = true
        self.method = method
        self.headers = headers
        let framing: BodyFraming
        do { framing = try BodyFraming(headers) } catch {
            // Where such a request ends is anyone's guess, and guesses that differ are how requests are smuggled.
            return .answerAndClose(error.response)
        }
        if case .length(let length) = framing { declaredLength = length }
        do {
            try accept()
            if let declaredLength { try checkSize(declaredLength) }
        } catch {
            refusal = error
            let waitsForLeave = headers.contains { $0.name == "expect" }
            if framing != .none, waitsForLeave || (declaredLength ?? 0) > discardLimit {
                return .answerAndClose(error.response)
            }
        }
        connection.enter(.body)
        return .proceed
    }

    /// A part of the body.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Step {
        connection.count(bytes.count)
        received += bytes.count
        if refusal == nil {
            do { try keep(bytes) } catch {
                refusal = error
                releaseBody()
            }
        }
        return refusal != nil && received > discardLimit ? .abort : .proceed
    }

    /// The request is complete.
    func finish() -> Step {
        if let refusal { return .answer(refusal.response) }
        guard let match else { return .answer(HTTPError.internal.response) }
        connection.enter(.handling)
        let request = Request(
            method: method, path: path, parameters: match.parameters, body: body,
            queryItems: queryItems.map { ($0.name, $0.value) }, headers: headers)
        defer { releaseBody() }
        do {
            return .answer(try match.route.handler(request))
        } catch let error as HTTPError {
            return .answer(error.response)
        } catch {
            core.report("\(method) \(path): \(error)")
            return .answer(HTTPError.internal.response)
        }
    }

    private var maxBodyBytes: Int { match?.route.maxBodyBytes ?? 0 }
    private var discardLimit: Int { core.limits.discardedBytes(acceptable: maxBodyBytes) }

    /// Finds the route, and checks everything but the body.
    private func accept() throws(HTTPError) {
        let limits = core.limits
        guard target.count <= limits.targetBytes else {
            throw HTTPError(
                status: 414, code: "target_too_long",
                message: "the request's target may have at most \(limits.targetBytes) bytes")
        }
        guard headers.reduce(0, { $0 + $1.name.utf8.count + $1.value.utf8.count }) <= limits.headerBytes else {
            throw HTTPError(
                status: 431, code: "headers_too_large",
                message: "the request's headers may have at most \(limits.headerBytes) bytes")
        }
        guard !headers.contains(where: { $0.name.utf8.contains(0) || $0.value.utf8.contains(0) }) else {
            throw .malformed("a header of the request has a NUL in it")
        }
        let target = try RequestTarget(target)
        path = target.path
        queryItems = target.queryItems
        match = try core.router.route(method: method, segments: target.segments)
    }

    private func checkSize(_ bytes: Int) throws(HTTPError) {
        guard bytes <= maxBodyBytes else { throw .tooLarge(limit: maxBodyBytes) }
    }

    private func keep(_ bytes: UnsafeRawBufferPointer) throws(HTTPError) {
        try checkSize(received)
        guard core.takeBodyBytes(bytes.count) else { throw .overloaded }
        if body.isEmpty, let declaredLength { body.reserveCapacity(declaredLength) }
        body.append(contentsOf: bytes)
    }

    private func releaseBody() {
        core.giveBackBodyBytes(body.count)
        body = []
    }
}
