/// Names for the bytes that FTP gives a meaning to, and the few questions that every parser asks of bytes.
///
/// Everything here costs at most one pass over its input, and nothing trusts a number before it has been checked.
enum ASCII {
    static let nul: UInt8 = 0x00
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let blank: UInt8 = 0x20
    static let quote: UInt8 = 0x22
    static let percent: UInt8 = 0x25
    static let apostrophe: UInt8 = 0x27
    static let openParenthesis: UInt8 = 0x28
    static let closeParenthesis: UInt8 = 0x29
    static let asterisk: UInt8 = 0x2A
    static let plus: UInt8 = 0x2B
    static let comma: UInt8 = 0x2C
    static let minus: UInt8 = 0x2D
    static let period: UInt8 = 0x2E
    static let slash: UInt8 = 0x2F
    static let zero: UInt8 = 0x30
    static let nine: UInt8 = 0x39
    static let colon: UInt8 = 0x3A
    static let semicolon: UInt8 = 0x3B
    static let less: UInt8 = 0x3C
    static let equals: UInt8 = 0x3D
    static let greater: UInt8 = 0x3E
    static let openBracket: UInt8 = 0x5B
    static let backslash: UInt8 = 0x5C
    static let closeBracket: UInt8 = 0x5D

    static func isDigit(_ byte: UInt8) -> Bool { byte >= zero && byte <= nine }

    static func isLetter(_ byte: UInt8) -> Bool {
        let lower = byte | 0x20
        return lower >= 0x61 && lower <= 0x7A
    }

    static func isBlank(_ byte: UInt8) -> Bool { byte == blank || byte == tab }

    /// The small letter for a capital one; every other byte as it is. Letters beyond ASCII have no case in FTP.
    static func lowercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte
    }

    static func uppercased(_ byte: UInt8) -> UInt8 {
        byte >= 0x61 && byte <= 0x7A ? byte & 0xDF : byte
    }
}

extension Collection<UInt8> {
    /// Whether the bytes are those of `text`, which is ASCII in small letters, in any case.
    func equalsIgnoringCase(_ text: String) -> Bool {
        lazy.map(ASCII.lowercased).elementsEqual(text.utf8)
    }

    /// The number that the bytes are: digits only, at least one, no sign.
    ///
    /// - Returns: `nil` when a byte is not a digit, when there is none, or when the number does not fit an `Int64`.
    var decimal: Int64? {
        if isEmpty { return nil }
        var value: Int64 = 0
        for byte in self {
            guard ASCII.isDigit(byte) else { return nil }
            let (tens, overflowed) = value.multipliedReportingOverflow(by: 10)
            let (sum, overflowedAgain) = tens.addingReportingOverflow(Int64(byte - ASCII.zero))
            if overflowed || overflowedAgain { return nil }
            value = sum
        }
        return value
    }
}

extension BidirectionalCollection<UInt8> {
    /// The bytes without blanks and tabs at either end.
    var trimmed: SubSequence {
        var start = startIndex
        while start != endIndex, ASCII.isBlank(self[start]) { formIndex(after: &start) }
        var end = endIndex
        while end != start {
            let last = index(before: end)
            guard ASCII.isBlank(self[last]) else { break }
            end = last
        }
        return self[start..<end]
    }
}
