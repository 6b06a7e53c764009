import Vocabulary

/// Names of which the kernel has been told that they do not exist, and may still believe it.
///
/// The kernel forgets them by itself, after the time to live that it was told. Before that it can only be told of one
/// name at a time, so somebody has to know which ones there are. Lives in the tree's monitor.
struct AbsentNames {
    /// How many are remembered. A compiler that looks for its headers in forty directories asks for some thousands; and a
    /// megabyte is little. What is beyond that stays in the kernel for the rest of its time.
    static let maximumCount = 16_384

    private var names: [InodeNumber: Set<FileName>] = [:]
    private(set) var count = 0

    /// Notes that the kernel has been told so.
    mutating func note(_ name: FileName, in directory: InodeNumber) {
        // Most of what is there has passed its time by then.
        if count >= Self.maximumCount { self = AbsentNames() }
        if names[directory, default: []].insert(name).inserted { count += 1 }
    }

    /// The names in a directory, which are forgotten here.
    mutating func take(_ directory: InodeNumber) -> Set<FileName> {
        let taken = names.removeValue(forKey: directory) ?? []
        count -= taken.count
        return taken
    }
}
