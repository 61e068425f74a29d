/// Instants as text: RFC 3339, and as Kafka has them, milliseconds since 1970 (UTC).
public enum RFC3339 {
    /// `2026-01-31T12:00:00.000Z`; the years 0000 to 9999, beyond which it is clamped.
    public static func text(milliseconds: Int64) -> String {
        var text = ByteBuffer(reservingCapacity: 24)
        append(milliseconds: milliseconds, to: &text)
        return String(decoding: text.array, as: UTF8.self)
    }

    /// Appends the text's 24 bytes.
    static func append(milliseconds: Int64, to text: inout ByteBuffer) {
        let clamped = min(max(milliseconds, -62_167_219_200_000), 253_402_300_799_999)
        let inDay = Int(floorRemainder(clamped, 86_400_000))
        let (year, month, day) = civil(fromDays: (Int(clamped) - inDay) / 86_400_000)
        append(year, scale: 1000, end: "-", to: &text)
        append(month, scale: 10, end: "-", to: &text)
        append(day, scale: 10, end: "T", to: &text)
        append(inDay / 3_600_000, scale: 10, end: ":", to: &text)
        append(inDay / 60_000 % 60, scale: 10, end: ":", to: &text)
        append(inDay / 1000 % 60, scale: 10, end: ".", to: &text)
        append(inDay % 1000, scale: 100, end: "Z", to: &text)
    }

    /// Digits from that of `scale` down to the last, and what follows them.
    private static func append(_ value: Int, scale: Int, end: Unicode.Scalar, to text: inout ByteBuffer) {
        var scale = scale
        while scale > 0 {
            text.append(UInt8(ascii: "0") + UInt8(value / scale % 10))
            scale /= 10
        }
        text.append(UInt8(ascii: end))
    }

    /// Reads RFC 3339's `date-time`: a `T` (or a space) between, `Z` or an offset at the end, any number of decimals (cut to
    /// milliseconds), a leap second taken as the second after. nil if it is not one.
    public static func milliseconds(_ text: String) -> Int64? {
        var reader = DigitReader(bytes: Array(text.utf8))
        guard let year = reader.number(4), reader.skip("-"), let month = reader.number(2), reader.skip("-"),
            let day = reader.number(2), reader.skip("T") || reader.skip("t") || reader.skip(" "),
            let hour = reader.number(2), reader.skip(":"), let minute = reader.number(2), reader.skip(":"),
            let second = reader.number(2)
        else { return nil }
        guard (1...12).contains(month), (1...length(ofMonth: month, year: year)).contains(day), hour < 24, minute < 60,
            second <= 60
        else { return nil }
        var fraction = 0
        if reader.skip(".") {
            guard let thousandths = reader.thousandths() else { return nil }
            fraction = thousandths
        }
        var offset = 0
        if !(reader.skip("Z") || reader.skip("z")) {
            let isWest = reader.skip("-")
            guard isWest || reader.skip("+"), let hours = reader.number(2), reader.skip(":"),
                let minutes = reader.number(2),
                hours < 24, minutes < 60
            else { return nil }
            offset = (hours * 60 + minutes) * (isWest ? -60 : 60)
        }
        guard reader.isAtEnd else { return nil }
        let seconds =
            days(fromYear: year, month: month, day: day) * 86_400 + hour * 3600 + minute * 60 + second - offset
        return Int64(seconds) * 1000 + Int64(fraction)
    }

    private static func floorRemainder(_ value: Int64, _ divisor: Int64) -> Int64 {
        let remainder = value % divisor
        return remainder < 0 ? remainder + divisor : remainder
    }

    private static func length(ofMonth month: Int, year: Int) -> Int {
        switch month {
        case 2: isLeap(year) ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    private static func isLeap(_ year: Int) -> Bool { (year % 4 == 0 && year % 100 != 0) || year % 400 == 0 }

    /// Days since 1970-01-01 in the proleptic Gregorian calendar; the year is 0 to 9999. Years are counted from March, so
    /// that a leap day is the last of its year.
    private static func days(fromYear year: Int, month: Int, day: Int) -> Int {
        let marchYear = month > 2 ? year : year - 1
        let shifted = marchYear + 400  // never negative, and a whole cycle of 146,097 days more
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        return shifted * 365 + shifted / 4 - shifted / 100 + shifted / 400 + dayOfYear - 146_097 - 719_468
    }

    private static func civil(fromDays days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468 + 146_097
        let cycle = shifted / 146_097
        let dayOfCycle = shifted % 146_097
        let yearOfCycle = (dayOfCycle - dayOfCycle / 1460 + dayOfCycle / 36_524 - dayOfCycle / 146_096) / 365
        let dayOfYear = dayOfCycle - (365 * yearOfCycle + yearOfCycle / 4 - yearOfCycle / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = cycle * 400 + yearOfCycle - 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }
}

/// Reads fixed fields of digits from ASCII text.
private struct DigitReader {
    let bytes: [UInt8]
    var index = 0

    var isAtEnd: Bool { index == bytes.count }

    mutating func number(_ width: Int) -> Int? {
        guard index + width <= bytes.count else { return nil }
        var value = 0
        for byte in bytes[index..<index + width] {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        index += width
        return value
    }

    mutating func skip(_ character: Character) -> Bool {
        guard index < bytes.count, bytes[index] == character.asciiValue else { return false }
        index += 1
        return true
    }

    /// Decimals, cut after the third; nil if there is none.
    mutating func thousandths() -> Int? {
        var value = 0
        var count = 0
        while let digit = number(1) {
            if count < 3 { value = value * 10 + digit }
            count += 1
        }
        guard count > 0 else { return nil }
        for _ in min(count, 3)..<3 { value *= 10 }
        return value
    }
}
