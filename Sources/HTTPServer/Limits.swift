/// What one server spends at most, whatever its clients do.
public struct Limits: Sendable {
    /// Connections at a time. Further ones wait in the kernel's queue until one ends.
    public var connections = 256
    /// The request's target (path and query); longer is 414.
    public var targetBytes = 8 << 10
    /// The names and values of a request's headers together; more is 431.
    public var headerBytes = 16 << 10
    /// The bodies of all requests under way together; a request that would go beyond is answered 503. What one request may
    /// send is its route's affair.
    public var bodyBytesInMemory = 128 << 20
    /// What may wait in one response stream; a client that falls further behind is cut off.
    public var streamQueueBytes = 256 << 10
    /// The time that each of these may take: from the connection's opening (or the last answer) to a request's last header,
    /// the body, the answer. Body and answer get more the longer they are, by `minimumBytesPerSecond`; so a client that
    /// trickles is closed, and one that is merely slow is not. It is also how long an idle connection is kept.
    public var timeout: Duration = .seconds(30)
    /// The time to a request's last header, and for an idle connection, while all `connections` are taken: those who say
    /// nothing do not keep the others out.
    public var timeoutWhileFull: Duration = .seconds(1)
    public var minimumBytesPerSecond = 8 << 10
    /// How long a response stream is silent before a comment is sent, which proxies and vanished clients make necessary.
    public var streamHeartbeat: Duration = .seconds(15)

    public init() {}

    /// A request that cannot be accepted has its body read and thrown away, so that the client gets to see the answer
    /// rather than a reset connection; up to here.
    func discardedBytes(acceptable: Int) -> Int { max(2 * acceptable, 1 << 20) }

    /// libmicrohttpd keeps the head, its parsed form and the response's head in one arena for each connection.
    var connectionMemory: Int { targetBytes + 2 * headerBytes + (24 << 10) }
}
