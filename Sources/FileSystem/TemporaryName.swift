package import Vocabulary

/// The names that ftpfs makes on a server for its own purposes: `.ftpfs-`, 16 hexadecimal digits, and for a file that is
/// about to take the place of another one, `-` and that one's name as far as it fits.
///
/// - A new content is sent to such a name and renamed when it is complete.
/// - A file that is unlinked while it is open lives on under such a name.
/// - A scratch file shows what a server does to the rest of a file when a part of it is written.
///
/// No listing of a mount shows them. One that is left on a server was left by a mount that was killed, or is in use by
/// another one.
package enum TemporaryName {
    private static let prefix = Array(".ftpfs-".utf8)
    private static let digitCount = 16
    /// How much of the other name is repeated: enough for a person to recognise it, and far from every server's limit.
    private static let maximumRest = 100

    /// Whether a name is one of those.
    package static func matches(_ name: FileName) -> Bool {
        let bytes = name.bytes
        guard bytes.starts(with: prefix) else { return false }
        let rest = bytes.dropFirst(prefix.count)
        guard rest.count >= digitCount, rest.prefix(digitCount).allSatisfy(isHexDigit) else { return false }
        return rest.count == digitCount || rest.dropFirst(digitCount).first == UInt8(ascii: "-")
    }

    /// The beginning of the name of the file whose place a temporary one was to take; `nil` for another purpose.
    package static func original(of name: FileName) -> [UInt8]? {
        guard matches(name) else { return nil }
        let rest = name.bytes.dropFirst(prefix.count + digitCount)
        return rest.isEmpty ? nil : Array(rest.dropFirst())
    }

    /// A name that nothing has.
    ///
    /// - Parameter name: the file whose place it is to take.
    static func make(for name: FileName? = nil) throws(StoreError) -> FileName {
        var bytes = prefix + Array(Spool.randomHex().utf8)
        if let name { bytes += [UInt8(ascii: "-")] + readable(name) }
        do throws(FileName.Invalid) {
            return try FileName(validating: bytes)
        } catch {
            throw StoreError(.invalidArgument, "temporary name: \(error)")
        }
    }

    /// What of a name every server takes: no blanks, patterns or quotes, and no half of a character at the end.
    private static func readable(_ name: FileName) -> [UInt8] {
        var bytes = Array(name.bytes.prefix(maximumRest))
        if name.bytes.count > maximumRest {
            // A byte 10xxxxxx goes on with a character (RFC 3629 §3); the one that began it goes too.
            while let last = bytes.last, last & 0xC0 == 0x80 { bytes.removeLast() }
            if let last = bytes.last, last & 0xC0 == 0xC0 { bytes.removeLast() }
        }
        return bytes.map { isPlain($0) ? $0 : UInt8(ascii: "_") }
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"), 0x80...0xFE:
            true
        default: false
        }
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"): true
        default: false
        }
    }
}
