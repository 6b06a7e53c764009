/// What is known of `REST` on a server: whether a transfer really begins where `REST` said.
///
/// Some servers answer 350 and send the file from its start; some keep the offset in 32 bits, signed or not. Bytes from
/// the wrong place look like any others, so `REST` is believed only where it has been seen to work, or where the server
/// is one of those known for it (see ``Session/mayRestart(_:_:at:size:_:)``).
struct RestartKnowledge: Hashable, Sendable {
    /// Where an offset stops fitting into 31 and 32 bits.
    private static let boundaries: [Int64] = [1 << 31, 1 << 32]

    /// Offsets below this work.
    private(set) var provenBelow: Int64 = 0
    /// Offsets from here on do not work; `nil`: none is known that does not.
    private(set) var brokenFrom: Int64?

    /// What to think of an offset.
    enum Trust: Hashable, Sendable {
        case proven, unknown, broken
    }

    func trust(in offset: Int64) -> Trust {
        if let brokenFrom, offset >= brokenFrom { return .broken }
        return offset < provenBelow ? .proven : .unknown
    }

    /// A transfer began where it should. All offsets of the same width work then.
    mutating func noteProven(at offset: Int64) {
        provenBelow = max(provenBelow, Self.boundaries.first { offset < $0 } ?? .max)
        if let broken = brokenFrom, broken < provenBelow { brokenFrom = nil }
    }

    /// A transfer began somewhere else.
    mutating func noteBroken(at offset: Int64) {
        let start = Self.boundaries.last { offset >= $0 } ?? 0
        brokenFrom = min(brokenFrom ?? .max, start)
        provenBelow = min(provenBelow, start)
    }

    /// The server is one of those known to do it right.
    mutating func trustAll() {
        provenBelow = .max
        brokenFrom = nil
    }

    /// Where a transfer really began, judged by what it brought up to its end; `nil` when there is nothing to object to.
    ///
    /// A file may have grown or shrunk meanwhile, so only the very numbers of the known defects count.
    ///
    /// - Parameters:
    ///   - offset: what `REST` said.
    ///   - size: the size of the whole file.
    ///   - received: how many bytes came until the end.
    static func wrongStart(offset: Int64, size: Int64, received: Int64) -> Int64? {
        guard offset > 0, size > 0, offset <= size, received != size - offset else { return nil }
        let suspects: [Int64] = [0, offset & 0x7FFF_FFFF, offset & 0xFFFF_FFFF]
        return suspects.first { $0 != offset && received == size - $0 }
    }
}
