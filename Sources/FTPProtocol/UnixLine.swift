import Vocabulary

/// One line of `ls -l`, which most servers print for `LIST`, whatever their system.
///
///     drwxr-xr-x   2 owner    group        4096 Jan  4 00:03 name
///
/// Only the permissions in front and the date are dependable. Between them the number of links, the owner and the
/// group may be missing, hold blanks, or run into each other; the word before the date is the size. So the reader
/// looks for the first date that has a size before it, and takes what stands behind exactly one blank as the name.
///
/// Where group and size have run together nobody can tell where one ends: the size is then unknown.
enum UnixLine {
    static func read(_ line: ArraySlice<UInt8>, now: Timestamp) -> LineReading {
        guard let permissions = Permissions(parsing: line) else { return .notMine }
        guard let columns = DatedColumns(in: line, from: permissions.end, kind: permissions.kind, now: now) else {
            return withoutDate(permissions, line)
        }
        return entry(permissions, columns, line)
    }

    private static func entry(
        _ permissions: Permissions, _ columns: DatedColumns, _ line: ArraySlice<UInt8>
    ) -> LineReading {
        let date = columns.date
        var name = line[date.end...].dropFirst()
        // The column of the time is empty: its blanks are not of the name.
        if date.isPadded { name = name.drop(while: ASCII.isBlank) }
        // A name of nothing but blanks is what remains of a line that was cut.
        if name.allSatisfy(ASCII.isBlank) { return .broken }
        var target: [UInt8]?
        switch permissions.kind {
        case .symbolicLink:
            if let arrow = arrow(in: name) {
                target = Array(name[(arrow + 4)...])
                name = name[..<arrow]
            }
        case .directory:
            // `ls -F` and `ls -p` mark directories. No name ends in a slash, so nothing is lost.
            if name.count > 1, name.last == ASCII.slash { name = name.dropLast() }
        case .file, .special:
            break
        }
        return .entry(
            name: name, kind: permissions.kind, size: columns.size, modified: date.time, precision: date.precision,
            mode: permissions.mode, linkTarget: target, isLocalTime: !date.hasZone, date: date.numbers)
    }

    /// A line of exactly six words without a date: `drwxr-xr-x 3 owner group 512 name`. Anything longer or shorter
    /// may be a line with a date that is not understood, and part of the date would end up in the name.
    private static func withoutDate(_ permissions: Permissions, _ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line[permissions.end...])
        guard let links = words.next(), links.decimal != nil, words.next() != nil, words.next() != nil,
            let size = words.next()?.decimal, let name = words.next(), words.next() == nil,
            !name.contains(ASCII.colon), name.decimal == nil, MonthNames.month(name) == nil
        else { return .broken }
        return .entry(
            name: name, kind: permissions.kind, size: size, modified: nil, precision: .day, mode: permissions.mode)
    }

    /// Where the first ` -> ` begins.
    private static func arrow(in name: ArraySlice<UInt8>) -> Int? {
        guard name.count >= 4 else { return nil }
        return (name.startIndex...(name.endIndex - 4)).first {
            name[$0] == ASCII.blank && name[$0 + 1] == ASCII.minus && name[$0 + 2] == ASCII.greater
                && name[$0 + 3] == ASCII.blank
        }
    }
}

/// The first field of `ls -l`: the kind, nine permissions, and perhaps a mark for an access list.
private struct Permissions {
    let kind: ListingEntry.Kind
    let mode: UInt32
    /// Where the field ends.
    let end: Int

    /// Some servers lose the last permission, which is then off; none lose more.
    private static let fewest = 8

    init?(parsing line: ArraySlice<UInt8>) {
        guard let first = line.first, let kind = Self.kind(first) else { return nil }
        self.kind = kind
        var mode: UInt32 = 0
        var count = 0
        for byte in line.dropFirst().prefix(9) {
            guard let bits = Self.bits(byte, at: count) else { break }
            mode |= bits
            count += 1
        }
        guard count >= Self.fewest else { return nil }
        self.mode = mode
        var end = line.startIndex + 1 + count
        // `+` an access list, `.` a security context, `@` extended attributes.
        let marks: [UInt8] = [ASCII.plus, ASCII.period, 0x40]
        if end < line.endIndex, marks.contains(line[end]) { end += 1 }
        self.end = end
        // The number of links may follow at once.
        guard end < line.endIndex, ASCII.isBlank(line[end]) || (count == 9 && ASCII.isDigit(line[end])) else {
            return nil
        }
    }

    private static func kind(_ letter: UInt8) -> ListingEntry.Kind? {
        switch UnicodeScalar(letter) {
        case "-": .file
        case "d": .directory
        case "l": .symbolicLink
        // Block and character devices, FIFOs, sockets; doors and event ports of Solaris.
        case "b", "c", "p", "s", "D", "P": .special
        default: nil
        }
    }

    /// The bits that a letter stands for at one of the nine places; `nil` when it cannot stand there.
    private static func bits(_ letter: UInt8, at place: Int) -> UInt32? {
        let shift = UInt32(6 - place / 3 * 3)
        // Set-user-ID, set-group-ID, or the sticky bit.
        let special: UInt32 = 0o4000 >> UInt32(place / 3)
        switch (UnicodeScalar(letter), place % 3) {
        case ("-", _): return 0
        case ("r", 0): return 4 << shift
        case ("w", 1): return 2 << shift
        case ("x", 2): return 1 << shift
        case ("s", 2) where place < 8, ("t", 2) where place == 8: return special | 1 << shift
        // `l` and `L` mark mandatory locking on Solaris, which is set-group-ID without execution.
        case ("S", 2) where place < 8, ("T", 2) where place == 8, ("l", 2) where place == 5, ("L", 2) where place == 5:
            return special
        default: return nil
        }
    }
}
