import Foundation
import Glibc

/// A socket, and nothing but what the test does with it: for requests that no HTTP client would make.
public final class RawClient {
    public struct Reply: Equatable {
        public var status: Int
        /// With lowercase names.
        public var headers: [String: String]
        public var body: [UInt8]

        public var text: String { String(decoding: body, as: UTF8.self) }
    }

    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    private let descriptor: Int32
    /// Received and not yet read.
    public private(set) var buffer: [UInt8] = []

    /// - Parameter receiveBuffer: the kernel's for this socket, in bytes; small makes a slow reader sooner felt.
    public init(port: Int, receiveBuffer: Int32? = nil) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            // `deinit` closes: it is called for an object that throws when it has all its properties.
            throw Failure(description: "connect: \(String(cString: strerror(errno)))")
        }
    }

    deinit { close(descriptor) }

    /// Whether all was sent; the server may have closed.
    @discardableResult
    public func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    @discardableResult
    public func send(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(rebasing: rest)
                let count = Glibc.send(descriptor, part.baseAddress, part.count, Int32(MSG_NOSIGNAL))
                if count <= 0 { return false }
                rest = rest.dropFirst(count)
            }
            return true
        }
    }

    public func finishSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Receives once; false at the end of the connection.
    public func receive(within timeout: Duration = .seconds(20)) throws -> Bool {
        var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, Int32(timeout / .milliseconds(1))) > 0 else {
            throw Failure(
                description: "nothing came in time; received so far: \(String(decoding: buffer, as: UTF8.self))")
        }
        var bytes = [UInt8](repeating: 0, count: 64 << 10)
        let count = recv(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return false }
        buffer += bytes[..<count]
        return true
    }

    /// Everything up to the connection's end.
    public func receiveAll() throws -> [UInt8] {
        while try receive() {}
        defer { buffer = [] }
        return buffer
    }

    /// Receives until the buffer has the text, and takes everything up to its end.
    public func receive(upTo text: String) throws -> String {
        let wanted = Data(text.utf8)
        while true {
            if let range = Data(buffer).range(of: wanted) {
                defer { buffer.removeSubrange(..<range.upperBound) }
                return String(decoding: buffer[..<range.upperBound], as: UTF8.self)
            }
            guard try receive() else {
                throw Failure(description: "closed before '\(text)': \(String(decoding: buffer, as: UTF8.self))")
            }
        }
    }

    /// The status line and headers; the body stays.
    public func receiveHead() throws -> Reply {
        let lines = try receive(upTo: "\r\n\r\n").components(separatedBy: "\r\n")
        guard lines[0].hasPrefix("HTTP/1.1 "), let status = Int(lines[0].dropFirst(9).prefix(3)) else {
            throw Failure(description: "no status line: \(lines[0])")
        }
        let headers = lines.dropFirst().filter { !$0.isEmpty }.map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (
                line[..<colon].lowercased(), line[colon...].dropFirst().trimmingCharacters(in: .whitespaces)
            )
        }
        return Reply(status: status, headers: Dictionary(headers) { $0 + ", " + $1 }, body: [])
    }

    /// One answer with its body, by Content-Length or chunks.
    public func receiveReply(hasBody: Bool = true) throws -> Reply {
        var reply = try receiveHead()
        guard hasBody else { return reply }
        if reply.headers["transfer-encoding"] == "chunked" {
            while case let chunk = try receiveChunk(), !chunk.isEmpty { reply.body += chunk }
        } else {
            let count = Int(reply.headers["content-length"] ?? "") ?? 0
            while buffer.count < count {
                guard try receive() else { throw Failure(description: "closed within the body") }
            }
            reply.body = Array(buffer[..<count])
            buffer.removeSubrange(..<count)
        }
        return reply
    }

    /// One chunk's data; empty is the last.
    public func receiveChunk() throws -> [UInt8] {
        let size = try receive(upTo: "\r\n").dropLast(1)
        guard let count = Int(size, radix: 16) else { throw Failure(description: "chunk size \(size)") }
        while buffer.count < count + 2 {
            guard try receive() else { throw Failure(description: "closed within a chunk") }
        }
        defer { buffer.removeSubrange(..<(count + 2)) }
        return Array(buffer[..<count])
    }

    public func get(_ target: String, headers: String = "") throws -> Reply {
        send("GET \(target) HTTP/1.1\r\nHost: a\r\n\(headers)\r\n")
        return try receiveReply()
    }
}
