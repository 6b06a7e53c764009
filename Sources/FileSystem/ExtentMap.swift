/// Which bytes of a file being written are here, and which of them the server lacks. No lock, no I/O.
///
/// Three sets of offsets, all below ``size``:
/// - ``valid``: the spool holds these. Every other byte is on the server, at the same offset.
/// - ``dirty``: nobody has been given these since they were written. Always valid.
/// - ``taken``: these have been handed to a transfer, and are not under the file's name yet. A byte that is written
///   again meanwhile is in both, and has to be sent again.
///
/// What a file grows by without being written (a hole) is valid and dirty like written zeros: the server has to be
/// told, and the spool, being sparse, has it at no cost.
struct ExtentMap: Hashable, Sendable {
    /// How long the file is.
    private(set) var size: Int64
    private(set) var valid = RangeSet<Int64>()
    private(set) var dirty = RangeSet<Int64>()
    private(set) var taken = RangeSet<Int64>()

    /// A file of which all is on the server.
    init(size: Int64 = 0) {
        self.size = max(0, size)
    }

    /// How many bytes are here.
    var validCount: Int64 { valid.ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

    /// How many bytes nobody has been given.
    var dirtyCount: Int64 { dirty.ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound) } }

    /// Whether the server has every byte.
    var isClean: Bool { dirty.isEmpty && taken.isEmpty }

    /// Whether nothing of it is needed from the server.
    var isWhole: Bool { missing(in: 0..<size).isEmpty }

    // MARK: - Changing

    /// Notes bytes written. What lies between the end and them becomes a hole.
    mutating func wrote(_ range: Range<Int64>) {
        guard !range.isEmpty, range.lowerBound >= 0 else { return }
        let fresh = min(range.lowerBound, size)..<range.upperBound
        valid.insert(contentsOf: fresh)
        dirty.insert(contentsOf: fresh)
        size = max(size, range.upperBound)
    }

    /// Cuts the file, or lets it grow by zeros.
    mutating func resize(to newSize: Int64) {
        if newSize > size {
            wrote(size..<newSize)
        } else {
            let cut = max(0, newSize)..<Int64.max
            valid.remove(contentsOf: cut)
            dirty.remove(contentsOf: cut)
            taken.remove(contentsOf: cut)
            size = max(0, newSize)
        }
    }

    /// Notes bytes that came from the server. What was written here stays what it is.
    mutating func fetched(_ range: Range<Int64>) {
        let inside = range.clamped(to: 0..<size)
        if !inside.isEmpty { valid.insert(contentsOf: inside) }
    }

    /// Forgets what came from the server, whose file is another one by now.
    ///
    /// What was written here stays. Where the server's file ends before this one, what was not written here is zeros.
    ///
    /// - Parameters:
    ///   - serverSize: how long the server's file is.
    ///   - keepsSize: whether the size was set here; else the file is as long as the server's and what was written.
    /// - Returns: what has become zeros, so that the spool can be made to agree.
    mutating func rebase(onto serverSize: Int64, keepsSize: Bool) -> [Range<Int64>] {
        valid = dirty.union(taken)
        if !keepsSize { size = max(serverSize, valid.ranges.last?.upperBound ?? 0) }
        let gaps = missing(in: min(serverSize, size)..<size)
        for gap in gaps { wrote(gap) }
        return gaps
    }

    // MARK: - Asking

    /// A part of the file, and where it is.
    enum Segment: Hashable, Sendable {
        case here(Range<Int64>)
        case there(Range<Int64>)
    }

    /// What of a range has to come from the server, in order.
    func missing(in range: Range<Int64>) -> [Range<Int64>] {
        segments(of: range).compactMap { if case .there(let range) = $0 { range } else { nil } }
    }

    /// A range, as far as the file reaches, cut into what is here and what is not.
    func segments(of range: Range<Int64>) -> [Segment] {
        let range = range.clamped(to: 0..<size)
        var segments: [Segment] = []
        var position = range.lowerBound
        for known in ranges(of: valid, in: range) {
            if position < known.lowerBound { segments.append(.there(position..<known.lowerBound)) }
            segments.append(.here(known))
            position = known.upperBound
        }
        if position < range.upperBound { segments.append(.there(position..<range.upperBound)) }
        return segments
    }

    // MARK: - Sending

    /// A transfer gets these bytes.
    mutating func take(_ range: Range<Int64>) {
        for part in ranges(of: dirty, in: range) { taken.insert(contentsOf: part) }
        dirty.remove(contentsOf: range)
    }

    /// The transfer came to nothing from some offset on: nobody has those bytes.
    mutating func giveBack(from offset: Int64 = 0) {
        let lost = offset..<Int64.max
        for part in ranges(of: taken, in: lost) { dirty.insert(contentsOf: part) }
        taken.remove(contentsOf: lost)
    }

    /// What the transfers were given is under the file's name.
    mutating func settle() {
        taken = RangeSet()
    }

    /// The parts of a set that lie in a range.
    private func ranges(of set: RangeSet<Int64>, in range: Range<Int64>) -> [Range<Int64>] {
        guard !range.isEmpty else { return [] }
        let all = set.ranges
        // The first range that ends behind the begin of ours, by halving.
        var (low, high) = (all.startIndex, all.endIndex)
        while low < high {
            let middle = low + (high - low) / 2
            if all[middle].upperBound <= range.lowerBound { low = middle + 1 } else { high = middle }
        }
        var parts: [Range<Int64>] = []
        while low < all.endIndex, all[low].lowerBound < range.upperBound {
            let part = all[low].clamped(to: range)
            if !part.isEmpty { parts.append(part) }
            low += 1
        }
        return parts
    }
}
