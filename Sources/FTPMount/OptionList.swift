/// The text behind `-o`, taken apart at its commas.
///
/// A value may hold a comma as `\,` and a backslash as `\\` (libfuse's way), or be put into double quotes, in which a
/// quote is doubled (libmount's and rclone's way): `password="a,b"`. A backslash before anything else is itself.
package struct OptionList {
    /// One option as it was written.
    package struct Item: Equatable, Sendable {
        /// What stands before the `=`.
        package let name: String
        /// What stands behind it, without quotes and escapes; `nil` when there is no `=`.
        package let value: [UInt8]?
        /// Where the value stands in the text, in bytes, as it was written. Empty when there is none.
        package let valueRange: Range<Int>
    }

    /// The options in their order; empty ones (`a,,b`) are left out.
    package let items: [Item]

    /// Takes a text apart. A quote that is never closed reaches to the end.
    package init(_ text: [UInt8]) {
        var items: [Item] = []
        var position = 0
        while position < text.count {
            let item = Self.item(in: text, at: &position)
            if !item.name.isEmpty || item.value != nil { items.append(item) }
            position += 1
        }
        self.items = items
    }

    /// Reads one item and leaves `position` at the comma behind it, or at the end.
    private static func item(in text: [UInt8], at position: inout Int) -> Item {
        var name: [UInt8] = []
        while position < text.count, text[position] != UInt8(ascii: ","), text[position] != UInt8(ascii: "=") {
            name.append(text[position])
            position += 1
        }
        let word = String(decoding: name, as: UTF8.self)
        guard position < text.count, text[position] == UInt8(ascii: "=") else {
            return Item(name: word, value: nil, valueRange: position..<position)
        }
        position += 1
        let start = position
        let isQuoted = position < text.count && text[position] == UInt8(ascii: "\"")
        let value = isQuoted ? quoted(in: text, at: &position) : plain(in: text, at: &position)
        return Item(name: word, value: value, valueRange: start..<position)
    }

    private static func plain(in text: [UInt8], at position: inout Int) -> [UInt8] {
        var value: [UInt8] = []
        while position < text.count, text[position] != UInt8(ascii: ",") {
            let next = position + 1 < text.count ? text[position + 1] : 0
            if text[position] == UInt8(ascii: "\\"), next == UInt8(ascii: ",") || next == UInt8(ascii: "\\") {
                position += 1
            }
            value.append(text[position])
            position += 1
        }
        return value
    }

    private static func quoted(in text: [UInt8], at position: inout Int) -> [UInt8] {
        var value: [UInt8] = []
        position += 1
        while position < text.count {
            let byte = text[position]
            position += 1
            guard byte == UInt8(ascii: "\"") else {
                value.append(byte)
                continue
            }
            guard position < text.count, text[position] == byte else { break }
            value.append(byte)
            position += 1
        }
        // What follows the closing quote belongs to the value too, up to the comma.
        return value + plain(in: text, at: &position)
    }
}

extension OptionList.Item {
    /// The option as text that ``OptionList`` reads back to the same item.
    var escaped: [UInt8] {
        guard let value else { return Array(name.utf8) }
        var text = Array("\(name)=\"".utf8)
        for byte in value { text += byte == UInt8(ascii: "\"") ? [byte, byte] : [byte] }
        return text + [UInt8(ascii: "\"")]
    }
}
