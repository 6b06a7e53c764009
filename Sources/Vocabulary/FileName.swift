/// The name of one entry in a directory, as bytes.
///
/// Names are bytes and never `String`: `String` compares by Unicode equivalence (two files would become one), replaces
/// what is not UTF-8 (the name could no longer be sent back) and treats CR LF as one character.
///
/// A value of this type is safe to put into a path and into an FTP command: it is not empty, not `.` or `..`, holds
/// no `/`, and no NUL, CR or LF (which would let a name smuggle a second command: RFC 959 §5.3), and has at most
/// ``maximumLength`` bytes. What a server or the kernel says is turned into one by ``init(validating:)`` and by
/// nothing else.
package struct FileName: Hashable, Sendable {
    /// What a name may hold at most, in bytes: NAME_MAX of Linux.
    package static let maximumLength = 255

    /// The bytes of the name, without a terminator.
    package let bytes: [UInt8]
    /// Their hash, with the process's own seed. Names are the keys of every large table: to look one up, or to find that
    /// two differ, the bytes themselves, each in an allocation of its own, need not be fetched from memory.
    private let digest: Int

    /// Why bytes are not a name.
    package enum Invalid: Error, Equatable, Sendable {
        /// No byte at all.
        case empty
        /// `.` or `..`, which are places and not names.
        case dotOrDotDot
        /// A `/`: it would reach into another directory.
        case slash
        /// NUL, CR or LF: they end a command on the wire, or a string in C.
        case controlByte
        /// More than ``maximumLength`` bytes.
        case tooLong
    }

    /// Takes bytes as a name if they are one.
    ///
    /// - Throws: ``Invalid``, the first rule that the bytes break.
    package init(validating bytes: some Sequence<UInt8>) throws(Invalid) {
        let bytes = Array(bytes)
        if bytes.isEmpty { throw .empty }
        if bytes.count <= 2, bytes.allSatisfy({ $0 == 0x2E }) { throw .dotOrDotDot }
        for byte in bytes {
            switch byte {
            case 0x2F: throw .slash
            case 0x00, 0x0A, 0x0D: throw .controlByte
            default: continue
            }
        }
        if bytes.count > Self.maximumLength { throw .tooLong }
        self.bytes = bytes
        var hasher = Hasher()
        unsafe bytes.withUnsafeBytes { unsafe hasher.combine(bytes: $0) }
        digest = hasher.finalize()
    }

    /// Takes the UTF-8 bytes of a string as a name if they are one.
    package init(validating string: String) throws(Invalid) {
        try self.init(validating: string.utf8)
    }
}

extension FileName {
    package static func == (left: FileName, right: FileName) -> Bool {
        left.digest == right.digest && left.bytes == right.bytes
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(digest) }
}

extension FileName: Comparable {
    /// Orders names by their bytes, as `LC_ALL=C ls` does.
    package static func < (left: FileName, right: FileName) -> Bool {
        left.bytes.lexicographicallyPrecedes(right.bytes)
    }
}

extension FileName: CustomStringConvertible {
    /// The name for a message: what is not UTF-8 or not printable is shown as `\xNN`.
    package var description: String { printable(bytes) }
}
