/// Cuts bytes into pieces of one to eight bytes, with now and then a long one, the same way each time.
struct Pieces: Sequence, IteratorProtocol {
    private var rest: ArraySlice<UInt8>
    private var state: UInt64

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
        state = hash(bytes)
    }

    mutating func next() -> [UInt8]? {
        if rest.isEmpty { return nil }
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let word = state >> 33
        let piece = rest.prefix(word % 16 == 0 ? 200 : Int(word / 16 % 8) + 1)
        rest = rest.dropFirst(piece.count)
        return Array(piece)
    }
}

/// A number that depends on all bytes (FNV-1a).
func hash(_ bytes: [UInt8]) -> UInt64 {
    bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
}

extension Collection<UInt8> {
    /// Whether the bytes stand in `bytes`, one after the other.
    func stand(in bytes: [UInt8]) -> Bool {
        guard let first, count <= bytes.count else { return isEmpty }
        return (0...(bytes.count - count)).contains {
            bytes[$0] == first && bytes[$0..<($0 + count)].elementsEqual(self)
        }
    }
}
