import Vocabulary

/// An entry of OpenVMS: the name with its version, the size in blocks, the date, the owner, the protection.
///
///     Directory DISK$USER:[ANONYMOUS]
///
///     PUB.DIR;1               1/9           2-JUN-1998 07:32:04  [GROUP,OWNER]    (RWED,RWED,RWED,RE)
///     A_LONG_NAME_THAT_FILLS_THE_COLUMN.TXT;12
///                           170774/170775  24-APR-2003 08:16:15  [GROUP,OWNER]    (RWED,RWED,RE,)
///     Total of 2 files, 170775 blocks.
///
/// The fields behind the name come in any order, and a long name has a line for itself. Of several versions the highest is
/// the one that a name without version means; so versions are left out of names. `.DIR` marks a directory and is no part
/// of its name in a path.
///
/// A size is unknown: blocks are used up to somewhere in the last one, and a size that is too large makes programs wait
/// for bytes that do not come.
enum VMSLine {
    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        if let first = line.first, ASCII.isBlank(first) { return .notMine }
        var words = Words(line)
        guard let word = words.next() else { return .nothing }
        guard let name = VersionedName(word) else { return title(word, words.rest) }
        if words.rest.trimmed.isEmpty { return .incomplete }
        var fields = Fields()
        // `%RMS-E-PRV, insufficient privilege`: the file is there, and that is all that is known.
        if words.rest.trimmed.first != ASCII.percent {
            while let field = words.next() {
                guard fields.take(field) else { return .broken }
            }
            guard fields.date != nil else { return .broken }
        }
        return .entry(
            name: name.name, kind: name.isDirectory ? .directory : .file, size: nil, modified: fields.modified,
            precision: fields.precision, mode: fields.mode, isLocalTime: true, version: name.version)
    }

    /// `Directory DISK:[DIR]`, `Total of 2 files, 4 blocks.`, `Grand total of 2 directories, 4 files.`
    private static func title(_ first: ArraySlice<UInt8>, _ rest: ArraySlice<UInt8>) -> LineReading {
        var words = Words(rest)
        guard let second = words.next() else { return .notMine }
        if first.equalsIgnoringCase("directory"), second.contains(ASCII.openBracket), second.last == ASCII.closeBracket
        {
            return .currentDirectory(Array(second))
        }
        if first.equalsIgnoringCase("total"), second.equalsIgnoringCase("of") { return .nothing }
        if first.equalsIgnoringCase("grand"), second.equalsIgnoringCase("total") { return .nothing }
        return .notMine
    }

    /// `NAME.TYPE;12`.
    private struct VersionedName {
        let name: ArraySlice<UInt8>
        let version: Int64
        let isDirectory: Bool

        init?(_ word: ArraySlice<UInt8>) {
            guard let semicolon = word.lastIndex(of: ASCII.semicolon),
                let version = word[(semicolon + 1)...].decimal
            else { return nil }
            let full = word[..<semicolon]
            isDirectory = full.count > 4 && full.suffix(4).equalsIgnoringCase(".dir")
            name = isDirectory ? full.dropLast(4) : full
            self.version = version
        }
    }

    /// What stands behind the name.
    private struct Fields {
        var date: CivilTime?
        var time: ClockTime?
        var mode: UInt32?
        private var hasSize = false
        /// Whether the owner has begun and not ended: `[GROUP, OWNER]`.
        private var isInOwner = false

        var modified: Timestamp? { date.map { time?.on($0) ?? $0.timestamp } }
        var precision: ListingEntry.Precision { time?.precision ?? .day }

        /// - Returns: whether the word can stand in such a line.
        mutating func take(_ word: ArraySlice<UInt8>) -> Bool {
            if isInOwner || word.first == ASCII.openBracket {
                isInOwner = word.last != ASCII.closeBracket
                return true
            }
            if word.first == ASCII.openParenthesis {
                mode = VMSLine.mode(word)
                return true
            }
            if date == nil, let date = DashedDate.parse(word) {
                self.date = date
                return true
            }
            if date != nil, time == nil, let time = ClockTime(word) {
                self.time = time
                return true
            }
            guard !hasSize, VMSLine.isSize(word) else { return false }
            hasSize = true
            return true
        }
    }

    /// `9`, `9/12` (used and allocated blocks), `2KB`.
    private static func isSize(_ word: ArraySlice<UInt8>) -> Bool {
        guard let first = word.first, ASCII.isDigit(first) else { return false }
        let rest = word.drop { ASCII.isDigit($0) || $0 == ASCII.slash }
        return rest.isEmpty || rest.equalsIgnoringCase("kb") || rest.equalsIgnoringCase("mb")
            || rest.equalsIgnoringCase("gb")
    }

    /// Permission bits from `(RWED,RWED,RE,)`: what the system, the owner, the group and the world may.
    private static func mode(_ word: ArraySlice<UInt8>) -> UInt32? {
        guard word.last == ASCII.closeParenthesis else { return nil }
        let groups = word.dropFirst().dropLast().split(separator: ASCII.comma, omittingEmptySubsequences: false)
        guard groups.count == 4 else { return nil }
        return groups.dropFirst().reduce(0) { mode, group in
            mode << 3 | group.reduce(0) { $0 | bits($1) }
        }
    }

    private static func bits(_ letter: UInt8) -> UInt32 {
        switch UnicodeScalar(ASCII.uppercased(letter)) {
        case "R": 4
        case "W": 2
        case "E": 1
        // Deleting is a matter of the directory in Unix.
        default: 0
        }
    }
}
