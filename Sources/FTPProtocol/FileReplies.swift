package import Vocabulary

/// The size of a file, in the text of the 213 that answers `SIZE` (RFC 3659 §4).
package enum SizeReply {
    /// The number at the end of the text, in bytes. Some servers put words before it, a few one behind it.
    ///
    /// - Returns: `nil` when there is no number, when it is negative, or when it does not fit an `Int64`.
    package static func parse(_ text: [UInt8]) -> Int64? {
        let words = text.split(whereSeparator: ASCII.isBlank)
        return words.last?.decimal ?? words.first?.decimal
    }
}

/// When a file was last changed, in the text of the 213 that answers `MDTM` (RFC 3659 §3).
package enum ModificationTimeReply {
    /// The first word that is a moment. In UTC by the RFC; some old servers send their own zone.
    package static func parse(_ text: [UInt8]) -> Timestamp? {
        for word in text.split(whereSeparator: ASCII.isBlank) {
            if let time = TimeValue.parse(word) { return time }
        }
        return nil
    }
}

/// How much a server is about to send, in the text of the 150 or 125 that answers `RETR`.
package enum TransferReply {
    /// The number in the last `(N bytes)`: not in any RFC, but most servers send it. The file's name stands before it
    /// and may look the same.
    ///
    /// - Returns: `nil` when there is none. After `REST` some servers send the whole size and some what is left: a hint.
    package static func parseSize(_ text: [UInt8]) -> Int64? {
        guard let start = text.lastIndex(of: ASCII.openParenthesis) else { return nil }
        let words = text[(start + 1)...].split(maxSplits: 2, whereSeparator: ASCII.isBlank)
        guard words.count >= 2, words[1].prefix(4).equalsIgnoringCase("byte") else { return nil }
        return words[0].decimal
    }
}
