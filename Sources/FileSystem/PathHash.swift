import Vocabulary

/// The hash of a path from which inode numbers come: FNV-1a over the names, each followed by a `/`, with a final mix.
///
/// It has no seed that differs between mounts, so that a file has the same inode number after a remount: git's index
/// and backup programs compare it. Collisions do no harm (the table probes on), and the hash of a directory goes on
/// into the hashes of its entries, so that numbering a large directory costs the bytes of its names.
struct PathHash: Hashable {
    private var state: UInt64 = 0xCBF2_9CE4_8422_2325

    /// The hash of the root.
    init() {}

    /// The hash of a path.
    init(_ path: RemotePath) {
        for component in path.components { self = appending(component) }
    }

    /// The hash of an entry of this directory.
    func appending(_ name: FileName) -> PathHash {
        var result = self
        for byte in name.bytes { result.take(byte) }
        result.take(0x2F)
        return result
    }

    /// The number that the path's inode gets if it is free.
    var number: UInt64 {
        // FNV's low bits are good, its high bits less so; this is the finaliser of SplitMix64.
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    private mutating func take(_ byte: UInt8) {
        state = (state ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
}
