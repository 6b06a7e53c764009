/// The directory named in the text of a 257, from `PWD` and `MKD` (RFC 959 appendix II).
package enum WorkingDirectoryReply {
    /// The path: between the first double quotes, where a doubled one stands for itself.
    ///
    /// Some servers leave the quotes out. Then the first word is taken, but only if it looks like a path: an absolute
    /// one, one with a drive letter, or one of VMS with its brackets. "Current directory is" is not a path.
    ///
    /// - Returns: `nil` when there is no path, when it is empty, or when it holds a byte that no command can carry.
    package static func parse(_ text: [UInt8]) -> [UInt8]? {
        let path = text.firstIndex(of: ASCII.quote).map { quoted(text[($0 + 1)...]) } ?? bare(text)
        if path.isEmpty { return nil }
        let isSendable = !path.contains { $0 == ASCII.nul || $0 == ASCII.carriageReturn || $0 == ASCII.lineFeed }
        return isSendable ? path : nil
    }

    private static func quoted(_ text: ArraySlice<UInt8>) -> [UInt8] {
        var path: [UInt8] = []
        var position = text.startIndex
        while position < text.endIndex {
            if text[position] == ASCII.quote {
                position += 1
                guard position < text.endIndex, text[position] == ASCII.quote else { return path }
            }
            path.append(text[position])
            position += 1
        }
        // No closing quote: the line was cut, or the server forgot it. What is there is the best guess.
        return path
    }

    private static func bare(_ text: [UInt8]) -> [UInt8] {
        let word = text.trimmed.prefix { !ASCII.isBlank($0) }
        guard let first = word.first else { return [] }
        let second = word.dropFirst().first
        let isAbsolute = first == ASCII.slash || first == ASCII.backslash
        let hasDrive = ASCII.isLetter(first) && second == ASCII.colon
        let hasBrackets = word.contains(ASCII.openBracket) && word.contains(ASCII.closeBracket)
        return isAbsolute || hasDrive || hasBrackets ? Array(word) : []
    }
}
