import FTPProtocol
import Threading
import Vocabulary

/// What symbolic links lead to, as the server sees it.
extension Session {
    /// How many links of one listing the server is asked about; the others stay links. Each costs up to three round trips.
    private static let maximumAsked = 1_000
    /// How many links in a row are followed within one listing; the kernel's own limit is 40.
    private static let maximumHops = 8

    /// The entries of a directory with what symbolic links lead to in their place. One that leads nowhere stays a link.
    ///
    /// A link to a name in the same directory costs nothing; others are tried: `SIZE` and `MDTM` tell a file, `CWD` a
    /// directory.
    func following(
        _ entries: [ListingEntry], in directory: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        guard entries.contains(where: { $0.kind == .symbolicLink }) else { return entries }
        var byName: [[UInt8]: ListingEntry] = [:]
        for entry in entries { byName[entry.name.bytes] = entry }
        var asked = 0
        var result: [ListingEntry] = []
        for entry in entries {
            guard entry.kind == .symbolicLink else {
                result.append(entry)
                continue
            }
            var found = Self.neighbour(of: entry, byName)
            if found == nil, asked < Self.maximumAsked {
                asked += 1
                found = try statusByTrial(of: directory.appending(entry.name), entry.name, cancellation)
            }
            result.append(found.map { entry.leading(to: $0) } ?? entry)
        }
        return result
    }

    /// What a link leads to by names of its own directory alone; `nil` when that is not enough to tell.
    private static func neighbour(of link: ListingEntry, _ byName: [[UInt8]: ListingEntry]) -> ListingEntry? {
        var current = link
        for _ in 0..<maximumHops {
            guard let target = current.linkTarget, let next = byName[target] else { return nil }
            if next.kind != .symbolicLink { return next }
            current = next
        }
        return nil
    }
}

extension ListingEntry {
    /// What is found, under this entry's name, and with its target.
    fileprivate func leading(to other: ListingEntry) -> ListingEntry {
        var entry = ListingEntry(
            name: name, kind: other.kind, size: other.size, modified: other.modified, precision: other.precision,
            mode: other.mode, linkTarget: linkTarget ?? [])
        entry.isLocalTime = other.isLocalTime
        return entry
    }
}
