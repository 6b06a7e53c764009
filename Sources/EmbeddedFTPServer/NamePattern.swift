/// A pattern of a shell, matched against the bytes of a name: `*`, `?` and `[…]`.
struct NamePattern {
    private let pattern: [UInt8]

    /// A pattern; `nil` if there is nothing in it that a pattern would need.
    init?(_ bytes: [UInt8]) {
        let special: [UInt8] = [UInt8(ascii: "*"), UInt8(ascii: "?"), UInt8(ascii: "[")]
        guard bytes.contains(where: { special.contains($0) }) else { return nil }
        pattern = bytes
    }

    /// Whether the whole name fits.
    ///
    /// Only the last `*` is ever taken back, so the time is at most the product of both lengths.
    func matches(_ name: [UInt8]) -> Bool {
        var (place, position) = (0, 0)
        var star: (place: Int, position: Int)?
        while position < name.count {
            if place < pattern.count, pattern[place] == UInt8(ascii: "*") {
                star = (place, position)
                place += 1
            } else if let next = step(place, name[position]) {
                place = next
                position += 1
            } else if let last = star {
                star = (last.place, last.position + 1)
                (place, position) = (last.place + 1, last.position + 1)
            } else {
                return false
            }
        }
        return pattern[place...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    /// Behind the element of the pattern at `place`, if it takes the byte.
    private func step(_ place: Int, _ byte: UInt8) -> Int? {
        guard place < pattern.count else { return nil }
        switch pattern[place] {
        case UInt8(ascii: "?"): return place + 1
        case UInt8(ascii: "["):
            // An empty set is none: `]` right behind `[` belongs to it.
            guard let end = pattern[(place + 1)...].dropFirst().firstIndex(of: UInt8(ascii: "]")) else { break }
            return set(pattern[(place + 1)..<end], contains: byte) ? end + 1 : nil
        default: break
        }
        return pattern[place] == byte ? place + 1 : nil
    }

    private func set(_ set: ArraySlice<UInt8>, contains byte: UInt8) -> Bool {
        var rest = set
        let isNegated = rest.first == UInt8(ascii: "!") || rest.first == UInt8(ascii: "^")
        if isNegated { rest = rest.dropFirst() }
        while let low = rest.popFirst() {
            var high = low
            if rest.count >= 2, rest.first == UInt8(ascii: "-") {
                rest = rest.dropFirst()
                high = rest.popFirst() ?? low
            }
            if low <= byte && byte <= high { return !isNegated }
        }
        return isNegated
    }
}
