import CLinux

/// One direction of iconv(3), for short runs of bytes.
///
/// A descriptor has a state and belongs to one thread at a time: whoever owns a value of this type sees to that (see
/// ``NameCharset``, which keeps both of its directions under one lock).
struct Iconv: ~Copyable {
    private let descriptor: UnsafeMutableRawPointer
    /// One character needs at most six bytes in any set, so this holds every run that ``NameCharset`` asks about.
    private let output = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: Self.capacity)
    private static let capacity = 64

    /// - Returns: `nil` when this machine has no such conversion.
    init?(from source: String, to target: String) {
        guard let descriptor = clinux_iconv_open(target, source) else {
            output.deallocate()
            return nil
        }
        self.descriptor = descriptor
    }

    deinit {
        _ = clinux_iconv_close(descriptor)
        output.deallocate()
    }

    /// Converts a run of a few bytes, from the initial state to the initial state.
    ///
    /// - Returns: `nil` when it does not convert as a whole: not valid, not complete, not in the target's set, or too long.
    ///   Whatever the system would put in the place of a character counts as that too.
    func converted(_ run: ArraySlice<UInt8>) -> [UInt8]? {
        guard let base = output.baseAddress else { return nil }
        var target: UnsafeMutablePointer<UInt8>? = base
        var room = Self.capacity
        _ = clinux_iconv(descriptor, nil, nil, nil, nil)
        let isWhole = run.withUnsafeBufferPointer { bytes -> Bool in
            var source = bytes.baseAddress
            var left = bytes.count
            // The result is the number of characters that were replaced by others, or -1.
            return clinux_iconv(descriptor, &source, &left, &target, &room) == 0 && left == 0
        }
        // What a decoder holds back to see whether an accent follows comes out now.
        guard isWhole, clinux_iconv(descriptor, nil, nil, &target, &room) != -1 else { return nil }
        return Array(UnsafeBufferPointer(start: base, count: Self.capacity - room))
    }
}
