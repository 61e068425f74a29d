import Foundation

/// A bearer token as SASL OAUTHBEARER presents it (RFC 7628), with what the client has to know of it.
///
/// It is never described: nothing that prints it shows the token.
public struct OAuthToken: Sendable, CustomStringConvertible, CustomReflectable {
    public let value: String
    /// Milliseconds since 1970.
    public let expiry: Int64
    /// Who it stands for; only for logs, the brokers read the token themselves.
    public let principal: String

    public var description: String { "token of \(principal)" }

    public var customMirror: Mirror { Mirror(self, children: ["principal": principal, "expiry": expiry]) }

    /// Takes a JSON Web Token in its compact form (RFC 7519): of its claims `exp` must be there, `sub` should. The signature
    /// is the brokers' to check.
    ///
    /// - Throws: `OAuthTokenError`, which never repeats any part of the token.
    public init(jwt text: String) throws(OAuthTokenError) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        // An unsecured token has an empty third part.
        guard parts.count == 3, text.utf8.allSatisfy(Self.isTokenByte) else {
            throw OAuthTokenError("it is no JSON Web Token (three parts in base64url with dots between)")
        }
        guard let payload = Self.decode(parts[1]),
            let claims = try? JSONSerialization.jsonObject(with: payload) as? [String: Any]
        else { throw OAuthTokenError("its claims are no JSON object in base64url") }
        guard let exp = (claims["exp"] as? NSNumber)?.doubleValue, exp > 0, exp < 1e12 else {
            throw OAuthTokenError("it has no claim 'exp' in seconds since 1970")
        }
        value = text
        expiry = Int64(exp * 1000)
        let subject = claims["sub"] as? String ?? ""
        principal = subject.isEmpty ? "unknown" : String(subject.prefix(256))
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x2D
            || byte == 0x2E || byte == 0x5F
    }

    /// base64url without padding (RFC 7515, section 2).
    private static func decode(_ text: Substring) -> Data? {
        let standard = text.replacing("-", with: "+").replacing("_", with: "/")
        return Data(base64Encoded: standard + String(repeating: "=", count: (4 - standard.utf8.count % 4) % 4))
    }
}

/// Why there is no token, for a person.
public struct OAuthTokenError: Error, Sendable, Equatable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) { self.description = description }
}

/// A file that something else keeps a current token in, such as a sidecar or Kubernetes' projected service account.
/// It is read anew each time that a token is needed.
public struct OAuthTokenFile: Sendable {
    /// Tokens are a few kilobytes; brokers take no more than 64 KiB in all.
    private static let maximumBytes = 64 << 10

    public let path: String

    public init(path: String) { self.path = path }

    /// The token that the file holds now.
    ///
    /// - Throws: `OAuthTokenError`: no such file, no token in it, or one that has expired.
    public func token(now: Date = Date()) throws(OAuthTokenError) -> OAuthToken {
        guard let file = FileHandle(forReadingAtPath: path) else {
            throw OAuthTokenError("the token file \(path) cannot be opened: \(String(cString: strerror(errno)))")
        }
        defer { try? file.close() }
        let bytes: Data
        do {
            bytes = try file.read(upToCount: Self.maximumBytes + 1) ?? Data()
        } catch {
            throw OAuthTokenError("the token file \(path) cannot be read: \(error.localizedDescription)")
        }
        guard bytes.count <= Self.maximumBytes else {
            throw OAuthTokenError("the token file \(path) is larger than \(Self.maximumBytes) bytes")
        }
        let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        guard !text.isEmpty else { throw OAuthTokenError("the token file \(path) is empty") }
        let token: OAuthToken
        do {
            token = try OAuthToken(jwt: text)
        } catch {
            throw OAuthTokenError("the token file \(path) cannot be used: \(error)")
        }
        guard Double(token.expiry) > now.timeIntervalSince1970 * 1000 else {
            let expiry = RFC3339.text(milliseconds: token.expiry)
            throw OAuthTokenError("the token in \(path) expired at \(expiry), and nobody has put a new one there")
        }
        return token
    }
}
