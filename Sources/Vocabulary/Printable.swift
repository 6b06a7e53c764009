/// Bytes of unknown origin for one line of a log or of a message.
///
/// Well-formed UTF-8 stays as it is; control characters and bytes that are not UTF-8 become `\xNN`, so that what a
/// server sends can neither break a line of the log nor drive a terminal.
package func printable(_ bytes: some Collection<UInt8>) -> String {
    var result = ""
    var decoder = UTF8()
    var iterator = bytes.makeIterator()
    var position = bytes.startIndex
    decoding: while true {
        switch decoder.decode(&iterator) {
        case .emptyInput:
            break decoding
        case .scalarValue(let scalar):
            if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) {
                for byte in String(scalar).utf8 { result += escaped(byte) }
            } else {
                result.unicodeScalars.append(scalar)
            }
            position = bytes.index(position, offsetBy: String(scalar).utf8.count)
        case .error:
            // The decoder has taken one byte or more; which, it does not say. Go on behind the first.
            result += escaped(bytes[position])
            position = bytes.index(after: position)
            decoder = UTF8()
            return result + printable(bytes[position...])
        }
    }
    return result
}

private func escaped(_ byte: UInt8) -> String {
    let digits = String(byte, radix: 16)
    return digits.count == 1 ? "\\x0\(digits)" : "\\x\(digits)"
}
