import FTPClient

/// The file `~/.netrc` of ftp(1): which user and password belong to which host.
///
/// Words are separated by blanks and line ends: `machine NAME`, `default`, `login NAME`, `password PASSWORD`,
/// `account NAME`, and `macdef NAME`, whose lines up to an empty one are skipped. A word may be put
/// into double quotes, in which `\` makes the next byte literal (as curl reads it). A line that begins with `#` is a
/// comment.
enum Netrc {
    /// What a file says of one host.
    struct Entry {
        var user: [UInt8]?
        var password: Secret?
        var account: [UInt8]?
    }

    /// The first entry for a host, and for a user if one is asked for; `default` where it stands matches every host.
    ///
    /// - Parameter user: `nil` takes the entry of any user. An entry without a login is for every user.
    static func entry(forHost host: String, user: [UInt8]?, in content: [UInt8]) -> Entry? {
        var words = Words(content)
        var entry = Entry()
        var isOurs = false
        func matches() -> Bool {
            isOurs && (user == nil || entry.user == nil || entry.user == user)
        }
        while let word = words.next() {
            switch String(decoding: word, as: UTF8.self) {
            case "machine":
                if matches() { return entry }
                entry = Entry()
                isOurs = words.next().map { isSameHost($0, host) } ?? false
            case "default":
                if matches() { return entry }
                entry = Entry()
                isOurs = true
            case "login": entry.user = words.next()
            case "password": entry.password = words.next().map { Secret($0) }
            case "account": entry.account = words.next()
            case "macdef": words.skipMacro()
            default: continue
            }
        }
        return matches() ? entry : nil
    }

    /// Host names do not know upper and lower case (RFC 4343).
    private static func isSameHost(_ name: [UInt8], _ host: String) -> Bool {
        String(decoding: name, as: UTF8.self).lowercased() == host.lowercased()
    }

    /// The words of the file, in order.
    private struct Words {
        private var rest: ArraySlice<UInt8>
        private var isAtLineStart = true

        init(_ content: [UInt8]) { rest = content[...] }

        mutating func next() -> [UInt8]? {
            while let byte = rest.first {
                if isAtLineStart, byte == UInt8(ascii: "#") {
                    rest = rest.drop { $0 != UInt8(ascii: "\n") }
                } else if Self.isBlank(byte) {
                    isAtLineStart = byte == UInt8(ascii: "\n") || (isAtLineStart && byte != UInt8(ascii: "\n"))
                    rest.removeFirst()
                } else {
                    isAtLineStart = false
                    return byte == UInt8(ascii: "\"") ? quoted() : plain()
                }
            }
            return nil
        }

        /// Skips the lines of a macro: up to an empty line.
        mutating func skipMacro() {
            var previous: UInt8 = 0
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "\n"), previous == UInt8(ascii: "\n") { break }
                if byte != UInt8(ascii: "\r") { previous = byte }
            }
            isAtLineStart = true
        }

        private mutating func plain() -> [UInt8] {
            let word = rest.prefix { !Self.isBlank($0) }
            rest = rest.dropFirst(word.count)
            return Array(word)
        }

        private mutating func quoted() -> [UInt8] {
            var word: [UInt8] = []
            rest.removeFirst()
            while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
                if byte == UInt8(ascii: "\\"), let next = rest.popFirst() {
                    word.append(next)
                } else {
                    word.append(byte)
                }
            }
            return word
        }

        private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }
    }
}
