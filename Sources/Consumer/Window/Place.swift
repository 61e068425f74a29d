/// Where a request stands in the worker: the assignment in which it was taken, and its number there. A place of an
/// assignment that has ended is known to nobody, so that late results go nowhere.
struct Place: Sendable, Hashable {
    /// Counts assignments of partitions, over all of them, from 1.
    let epoch: UInt32
    /// In the order of arrival within the assignment.
    let sequence: Int
}

/// One message of a request's answer, as a delivery report names it: 63 bits of place, one of kind.
struct DeliveryToken: Sendable, Equatable {
    enum Kind: UInt64, Sendable { case result, deadLetter }

    let place: Place
    let kind: Kind

    // 2⁴⁰ requests in one assignment, and 2²³ assignments, are years.
    var rawValue: UInt64 { UInt64(place.epoch) << 41 | UInt64(place.sequence) << 1 | kind.rawValue }

    init(_ place: Place, _ kind: Kind) {
        self.place = place
        self.kind = kind
    }

    init(rawValue: UInt64) {
        let sequence = Int(rawValue >> 1 & (1 << 40 - 1))
        place = Place(epoch: UInt32(rawValue >> 41), sequence: sequence)
        kind = rawValue & 1 == 1 ? .deadLetter : .result
    }
}
