import Threading
import Vocabulary

/// Names of directories that have been put in order, for the directories that were asked about last. No lock.
///
/// Whether two names are neighbours is asked for each file that is opened, and of a program that jumps about in a large
/// directory each time in vain: sorting it anew for each would take a hundred times as long as reading a small file.
struct KnownOrders<Value: Sendable> {
    /// What a value is made of: another listing of a directory may have other names.
    struct Key: Hashable {
        let directory: InodeNumber
        let generation: UInt64
        let listedAt: Instant?
    }

    /// A program that copies goes through two trees at a time, and there may be two such programs. With 20,000 names each
    /// takes 5 MB.
    static var most: Int { 4 }

    private var known: [(key: Key, value: Value)] = []

    /// The value, if it is known.
    mutating func value(of key: Key) -> Value? {
        guard let index = known.firstIndex(where: { $0.key == key }) else { return nil }
        known.append(known.remove(at: index))
        return known.last?.value
    }

    /// Keeps a value in place of an older one of that directory, or of the one that was asked for longest ago.
    mutating func insert(_ value: Value, for key: Key) {
        known.removeAll { $0.key.directory == key.directory }
        known = known.suffix(Self.most - 1) + [(key, value)]
    }

    /// How many there are.
    var count: Int { known.count }
}
