/// Bytes of unknown origin for one line of a log or of a message.
///
/// Well-formed UTF-8 stays as it is. Control characters, the separators U+2028 and U+2029, the marks that change the
/// direction of writing (with which a name can be made to look like another), and bytes that are not UTF-8 become
/// `\xNN`, so that what a server sends can neither break a line of the log nor drive a terminal. A backslash stays one:
/// the result is for reading, not for decoding. Takes one pass, however many bytes are wrong.
package func printable(_ bytes: some Collection<UInt8>) -> String {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var position = bytes.startIndex
    while position != bytes.endIndex {
        let (scalar, next) = scalar(in: bytes, at: position)
        let isShown = scalar.map(isShown) ?? false
        while position != next {
            if isShown {
                result.append(bytes[position])
            } else {
                result += [0x5C, 0x78, digit(bytes[position] >> 4), digit(bytes[position] & 0x0F)]
            }
            bytes.formIndex(after: &position)
        }
    }
    return String(decoding: result, as: UTF8.self)
}

/// The scalar value of the well-formed UTF-8 that begins at a place, and the place behind it; `nil` and the place
/// behind the one byte when it is not well-formed (Unicode, table 3-7: no surrogates, no longer forms than needed).
private func scalar<Bytes: Collection<UInt8>>(
    in bytes: Bytes, at start: Bytes.Index
) -> (value: UInt32?, next: Bytes.Index) {
    let first = bytes[start]
    let afterFirst = bytes.index(after: start)
    let count: Int
    var second: ClosedRange<UInt8> = 0x80...0xBF
    var value: UInt32
    switch first {
    case 0x00...0x7F: return (UInt32(first), afterFirst)
    case 0xC2...0xDF: (count, value) = (1, UInt32(first & 0x1F))
    case 0xE0...0xEF:
        (count, value) = (2, UInt32(first & 0x0F))
        if first == 0xE0 { second = 0xA0...0xBF }
        if first == 0xED { second = 0x80...0x9F }
    case 0xF0...0xF4:
        (count, value) = (3, UInt32(first & 0x07))
        if first == 0xF0 { second = 0x90...0xBF }
        if first == 0xF4 { second = 0x80...0x8F }
    default: return (nil, afterFirst)
    }
    var position = afterFirst
    for place in 1...count {
        let allowed = place == 1 ? second : 0x80...0xBF
        guard position != bytes.endIndex, allowed.contains(bytes[position]) else { return (nil, afterFirst) }
        value = value << 6 | UInt32(bytes[position] & 0x3F)
        bytes.formIndex(after: &position)
    }
    return (value, position)
}

/// Whether a character may reach a terminal.
private func isShown(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x00...0x1F, 0x7F...0x9F: false
    // Line and paragraph separators, and marks and overrides of the direction.
    case 0x061C, 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069: false
    default: true
    }
}

private func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x61 + value - 10 }
