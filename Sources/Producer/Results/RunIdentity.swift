/// Names one start of the program, so that it knows its own requests again: ids are `<16 hexadecimal digits>-<number>`.
struct RunIdentity: Sendable {
    let name: String

    init() {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        name = String(repeating: "0", count: 16 - digits.count) + digits
    }

    func id(_ number: Int) -> String { "\(name)-\(number)" }

    /// The number in one of this run's ids; nil for any other text.
    func number(inID id: String) -> Int? {
        guard id.hasPrefix(name + "-"), let number = Int(id.dropFirst(name.count + 1)), number >= 0,
            self.id(number) == id
        else { return nil }
        return number
    }
}
