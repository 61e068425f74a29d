import CCrypto

/// SHA-256 through libcrypto, which uses the CPU's own instructions.
package enum SHA256 {
    /// 64 lower-case hexadecimal digits.
    package static func hexadecimal(_ bytes: UnsafeRawBufferPointer) -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        _ = CCrypto.SHA256(bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count, &digest)
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    package static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.withUnsafeBytes { hexadecimal($0) }
    }
}
