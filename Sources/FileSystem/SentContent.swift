/// What is remembered of a content that is about to be sent, to recognise it on the server later: its length, and checksums of
/// both ends. The name of a file, its length and its ends say enough: bytes arrive in order, so that a file which has the
/// length and the end of ours has all of it, and that somebody else's has them too does not happen.
struct SentContent: Hashable, Sendable {
    /// How much of each end: all of a small file; of a large one next to nothing beside the time that it takes to be sent.
    static let sampleLength: Int64 = 64 << 10

    var size: Int64
    /// The CRC-32 of the first bytes, and of the last ones.
    var head: UInt32
    var tail: UInt32

    /// Which bytes the checksums are of.
    static func samples(of size: Int64) -> (head: Range<Int64>, tail: Range<Int64>) {
        (0..<min(size, sampleLength), max(0, size - sampleLength)..<size)
    }
}
