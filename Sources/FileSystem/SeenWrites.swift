/// What a server has been seen to do with bytes for a part of a file. No I/O.
///
/// Appending and patching rely on what the server keeps of the rest, and its final reply says nothing of that. So the first
/// of each kind in a mount is followed by a look at the size; what then is as it should be is believed from there on.
struct SeenWrites: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        /// Bytes that went behind the others.
        case append
        /// Bytes that went into the middle.
        case patch
    }

    /// What a look at the size tells.
    enum Finding: Hashable, Sendable {
        /// As it should be.
        case proven
        /// It is longer, or the server does not say: others write as well, or nobody knows.
        case open
        /// Bytes are missing.
        case broken
    }

    private var proven: Set<Kind> = []
    private var broken: Set<Kind> = []

    /// Whether nothing is known of it yet.
    func isOpen(_ kind: Kind) -> Bool { !proven.contains(kind) && !broken.contains(kind) }

    /// Whether it must not be done.
    func isBroken(_ kind: Kind) -> Bool { broken.contains(kind) }

    /// Takes what a look has found.
    ///
    /// - Parameters:
    ///   - size: the server's; `nil`: it does not say.
    ///   - expected: how long the file should be.
    mutating func note(_ kind: Kind, size: Int64?, expected: Int64) -> Finding {
        guard let size, size <= expected else { return .open }
        if size == expected { proven.insert(kind) } else { broken.insert(kind) }
        return size == expected ? .proven : .broken
    }
}
