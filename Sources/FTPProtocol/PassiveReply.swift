/// Where to connect to for a transfer, from the replies to `EPSV` (229) and `PASV` (227).
///
/// Both are found by looking through the text: neither the words nor the parentheses are dependable.
package enum PassiveReply {
    /// The longest network address that is looked for between delimiters: an IPv6 address with an embedded IPv4 one
    /// has 45 characters; a zone name may follow.
    private static let maximumAddressLength = 64

    /// The port in the text of a 229 (RFC 2428 §3): `(<d><d><d>port<d>)` with any delimiter.
    ///
    /// A protocol and an address between the delimiters, which some servers send, are skipped, since the address is
    /// always the one of the control connection. Parentheses may be missing.
    ///
    /// - Returns: `nil` when there is no such group, or when the port is 0 or above 65535.
    package static func parseExtended(_ text: [UInt8]) -> UInt16? {
        for start in text.indices where text[start] == ASCII.openParenthesis {
            if let port = extendedPort(in: text, from: start + 1) { return port }
        }
        // Outside of parentheses letters, commas and periods are text, or an address of the other form.
        for start in text.indices
        where !ASCII.isLetter(text[start]) && text[start] != ASCII.comma && text[start] != ASCII.period {
            if let port = extendedPort(in: text, from: start) { return port }
        }
        return nil
    }

    /// The address (four bytes) and the port in the text of a 227 (RFC 959 §4.1.2, RFC 1123 §4.1.2.6): six numbers
    /// with commas.
    ///
    /// The group behind a parenthesis is preferred; without one, the first group of six anywhere. Blanks may follow
    /// the commas.
    ///
    /// - Returns: `nil` when there is no such group, or when a number is above 255 or the port is 0.
    package static func parse(_ text: [UInt8]) -> (address: [UInt8], port: UInt16)? {
        for start in text.indices where text[start] == ASCII.openParenthesis {
            if let numbers = sixNumbers(in: text, from: start + 1) { return endpoint(numbers) }
        }
        var previous: UInt8 = 0
        for start in text.indices {
            defer { previous = text[start] }
            guard ASCII.isDigit(text[start]), !ASCII.isDigit(previous), previous != ASCII.minus else { continue }
            if let numbers = sixNumbers(in: text, from: start) { return endpoint(numbers) }
        }
        return nil
    }

    private static func extendedPort(in text: [UInt8], from start: Int) -> UInt16? {
        guard start < text.count else { return nil }
        let delimiter = text[start]
        guard (0x21...0x7E).contains(delimiter), !ASCII.isDigit(delimiter) else { return nil }
        var position = start + 1
        // The protocol: 1, 2, or nothing.
        while position < text.count, position <= start + 2, ASCII.isDigit(text[position]) { position += 1 }
        guard position < text.count, text[position] == delimiter else { return nil }
        position += 1
        let addressStart = position
        while position < text.count, text[position] != delimiter {
            if position - addressStart == maximumAddressLength { return nil }
            position += 1
        }
        guard position < text.count else { return nil }
        position += 1
        guard let end = text[position...].prefix(maximumAddressLength).firstIndex(of: delimiter),
            let value = text[position..<end].trimmed.decimal
        else { return nil }
        return UInt16(exactly: value).flatMap { $0 == 0 ? nil : $0 }
    }

    /// Six numbers from this place on: the values, however large. Reads at most three digits of each, so that a long
    /// run of digits costs nothing and is not a number of an address.
    private static func sixNumbers(in text: [UInt8], from start: Int) -> [Int64]? {
        var numbers: [Int64] = []
        var position = start
        while true {
            while position < text.count, ASCII.isBlank(text[position]) { position += 1 }
            let digits = text[position...].prefix(4).prefix(while: ASCII.isDigit)
            guard digits.count <= 3, let number = digits.decimal else { return nil }
            numbers.append(number)
            position = digits.endIndex
            if numbers.count == 6 { return numbers }
            while position < text.count, ASCII.isBlank(text[position]) { position += 1 }
            guard position < text.count, text[position] == ASCII.comma else { return nil }
            position += 1
        }
    }

    private static func endpoint(_ numbers: [Int64]) -> (address: [UInt8], port: UInt16)? {
        let bytes = numbers.compactMap { UInt8(exactly: $0) }
        guard bytes.count == 6 else { return nil }
        let port = UInt16(bytes[4]) << 8 | UInt16(bytes[5])
        return port == 0 ? nil : (Array(bytes[..<4]), port)
    }
}
