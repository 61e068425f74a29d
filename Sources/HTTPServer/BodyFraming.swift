/// How a request says where its body ends (RFC 9112, section 6.3).
enum BodyFraming: Equatable {
    case none
    case length(Int)
    case chunked

    /// - Parameter headers: with lowercase names.
    /// - Throws: where two servers could read different lengths, or the coding is not known here.
    init(_ headers: [(name: String, value: String)]) throws(HTTPError) {
        let lengths = headers.filter { $0.name == "content-length" }
        let codings = headers.filter { $0.name == "transfer-encoding" }
        if let coding = codings.first {
            guard lengths.isEmpty, codings.count == 1 else {
                throw .malformed("a request has either one Transfer-Encoding or one Content-Length")
            }
            guard coding.value.lowercased() == "chunked" else {
                throw HTTPError(
                    status: 501, code: "not_implemented", message: "chunked is the only transfer encoding known here")
            }
            self = .chunked
        } else if let length = lengths.first {
            let digits = length.value.utf8
            guard lengths.count == 1, digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let count = Int(length.value)
            else { throw .malformed("a request has one Content-Length, a decimal number") }
            self = count == 0 ? .none : .length(count)
        } else {
            self = .none
        }
    }
}
