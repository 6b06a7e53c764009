import Vocabulary

/// Values to bytes, numbers with their lowest byte first.
struct ByteWriter {
    private(set) var bytes: [UInt8] = []

    mutating func put(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes += $0 }
    }

    /// A string of bytes behind its length.
    mutating func put(_ string: [UInt8]) {
        put(UInt32(truncatingIfNeeded: string.count))
        bytes += string
    }

    /// One byte that says whether there is a value, and the value.
    mutating func put(_ number: UInt32?) {
        put(UInt8(number == nil ? 0 : 1))
        if let number { put(number) }
    }

    mutating func put(_ time: Timestamp?) {
        put(UInt8(time == nil ? 0 : 1))
        guard let time else { return }
        put(time.seconds)
        put(time.nanoseconds)
    }
}

/// Bytes to values. Each call gives `nil` where there are too few bytes.
struct ByteReader {
    private var bytes: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { self.bytes = bytes }

    /// How many bytes are left.
    var rest: Int { bytes.count }

    mutating func uint8() -> UInt8? { bytes.popFirst() }

    mutating func uint32() -> UInt32? { number() }

    mutating func uint64() -> UInt64? { number() }

    mutating func int64() -> Int64? { number() }

    mutating func byteString() -> [UInt8]? {
        guard let count = uint32(), Int(count) <= bytes.count else { return nil }
        defer { bytes = bytes.dropFirst(Int(count)) }
        return Array(bytes.prefix(Int(count)))
    }

    /// What ``ByteWriter`` puts for a value that may be missing; the outer `nil` means too few bytes.
    mutating func optionalUInt32() -> UInt32?? {
        guard let isThere = uint8() else { return nil }
        if isThere == 0 { return .some(nil) }
        return uint32().map { .some($0) }
    }

    mutating func optionalTime() -> Timestamp?? {
        guard let isThere = uint8() else { return nil }
        if isThere == 0 { return .some(nil) }
        guard let seconds = int64(), let nanoseconds = uint32() else { return nil }
        return .some(Timestamp(seconds: seconds, nanoseconds: nanoseconds))
    }

    private mutating func number<Number: FixedWidthInteger>() -> Number? {
        let size = MemoryLayout<Number>.size
        guard bytes.count >= size else { return nil }
        defer { bytes = bytes.dropFirst(size) }
        return bytes.prefix(size).reversed().reduce(0) { $0 << 8 | Number(truncatingIfNeeded: $1) }
    }
}

/// The CRC-32 of ISO 3309, as gzip and Ethernet have it: finds every torn write that the disk can make of a record.
enum Checksum {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? 0xEDB8_8320 ^ (value >> 1) : value >> 1 }
    }

    static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            bytes.withUnsafeBufferPointer { bytes in
                ~bytes.reduce(~0) { sum, byte in table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ (sum >> 8) }
            }
        }
    }
}
