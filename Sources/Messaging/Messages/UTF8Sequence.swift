/// Length of the well-formed UTF-8 sequence at `index`, 1 to 4; 0 if there is none (The Unicode Standard, table 3-7: no
/// overlong forms, no surrogates, nothing above U+10FFFF).
func lengthOfUTF8Sequence(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int {
    let lead = bytes[index]
    var second: ClosedRange<UInt8> = 0x80...0xBF
    let length: Int
    switch lead {
    case 0x00...0x7F: return 1
    case 0xC2...0xDF: length = 2
    case 0xE0:
        length = 3
        second = 0xA0...0xBF
    case 0xED:
        length = 3
        second = 0x80...0x9F
    case 0xE1...0xEF: length = 3
    case 0xF0:
        length = 4
        second = 0x90...0xBF
    case 0xF4:
        length = 4
        second = 0x80...0x8F
    case 0xF1...0xF3: length = 4
    default: return 0
    }
    guard index + length <= bytes.count, second.contains(bytes[index + 1]) else { return 0 }
    for other in index + 2..<max(index + 2, index + length) where bytes[other] & 0xC0 != 0x80 { return 0 }
    return length
}
