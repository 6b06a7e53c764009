import Vocabulary

/// A line of a list of data sets of z/OS.
///
///     Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname
///     WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  REPORT.DATA
///     NRP004 3390   **NONE**    1   15  NONE     0     0  PO  SOURCE.LIB
///     TSO005 3390   2005/06/06 213000 U 0 27998 PO LOAD.LIB
///     TSO004 3390   VSAM INDEX.CLUSTER
///     V43525 Tape                                             OLD.DATA
///     Migrated                                                OLDER.DATA
///     Pseudo Directory                                        PROJECT
///
/// Partitioned data sets (PO) are directories of members. Sizes are in tracks of a disk and tell nothing. The date is that
/// of the last use, which is the nearest thing to that of the last change.
enum MVSDatasetLine {
    /// The longest name, in bytes.
    private static let maximumNameLength = 44

    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var iterator = Words(line)
        var words: [ArraySlice<UInt8>] = []
        // The longest form has ten words.
        while words.count <= 10, let word = iterator.next() { words.append(word) }
        guard (2...10).contains(words.count), let last = words.last else { return .notMine }
        if words[0].equalsIgnoringCase("volume"), words[1].equalsIgnoringCase("unit") { return .header }
        guard last.count <= maximumNameLength, last.allSatisfy(isOfName) else { return .notMine }
        if words.count == 2, words[0].equalsIgnoringCase("migrated") { return entry(last, .file) }
        guard words.count >= 3 else { return .notMine }
        if words.count == 3 {
            if words[0].equalsIgnoringCase("pseudo"), words[1].equalsIgnoringCase("directory") {
                return entry(last, .directory)
            }
            return isVolume(words[0]) && words[1].equalsIgnoringCase("tape") ? entry(last, .file) : .notMine
        }
        guard isVolume(words[0]), words[1].allSatisfy({ ASCII.isDigit($0) || ASCII.isLetter($0) }) else {
            return .notMine
        }
        if words.count == 4 { return words[2].equalsIgnoringCase("vsam") ? entry(last, .file) : .notMine }
        let organization = words[words.count - 2]
        guard words.count >= 8, organization.allSatisfy({ ASCII.isLetter($0) || $0 == ASCII.minus }) else {
            return .notMine
        }
        let kind = organization.prefix(2).equalsIgnoringCase("po") ? ListingEntry.Kind.directory : .file
        if words[2].elementsEqual("**NONE**".utf8) { return entry(last, kind) }
        guard let date = NumericDate(words[2]), !date.isHabit else { return .notMine }
        return entry(last, kind, date.civil.timestamp)
    }

    private static func entry(
        _ name: ArraySlice<UInt8>, _ kind: ListingEntry.Kind, _ modified: Timestamp? = nil
    ) -> LineReading {
        .entry(name: name, kind: kind, size: nil, modified: modified, precision: .day, isLocalTime: true)
    }

    /// Whether a word can be the name of a disk or a tape: six letters, digits and national characters.
    private static func isVolume(_ word: ArraySlice<UInt8>) -> Bool {
        word.count <= 6 && word.allSatisfy { isOfName($0) && $0 != ASCII.period }
    }

    /// Whether a byte can be in a name: letters, digits, the three national characters, periods, and a minus.
    static func isOfName(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || "@#$.-".utf8.contains(byte)
    }
}

/// A line of a list of the members of a partitioned data set of z/OS.
///
///      Name     VV.MM   Created       Changed      Size  Init   Mod   Id
///     REPORT    01.01 2004/06/22 2004/06/22 16:32   128   128    0 BOBY12
///      Name      Size     TTR   Alias-of AC --------- Attributes --------- Amode Rmode
///     PROGRAM    00B308 000411           00 FO                31    ANY
///
/// A member without statistics is a name alone. Sizes are in lines, or of what is loaded.
enum MVSMemberLine {
    /// The longest name, in bytes. The system allows eight; more is seen where names are made up for others.
    private static let maximumNameLength = 16

    static func read(_ line: ArraySlice<UInt8>) -> LineReading {
        var words = Words(line)
        guard let name = words.next() else { return .nothing }
        let second = words.next()
        if name.equalsIgnoringCase("name"), let second {
            if second.equalsIgnoringCase("vv.mm") || second.equalsIgnoringCase("size") { return .header }
        }
        guard name.count <= maximumNameLength, name.allSatisfy({ MVSDatasetLine.isOfName($0) && $0 != ASCII.period })
        else { return .notMine }
        guard let second else { return entry(name, nil, isEvidence: false) }
        guard let third = words.next() else { return .notMine }
        if isVersion(second) {
            guard NumericDate(third) != nil, let date = words.next().flatMap({ NumericDate($0) }), !date.isHabit,
                let time = words.next().flatMap(ClockTime.init), words.next()?.decimal != nil
            else { return .notMine }
            return entry(name, time.on(date.civil), time.precision)
        }
        guard isHexadecimal(second), isHexadecimal(third), words.next() != nil else { return .notMine }
        return entry(name, nil)
    }

    private static func entry(
        _ name: ArraySlice<UInt8>, _ modified: Timestamp?, _ precision: ListingEntry.Precision = .day,
        isEvidence: Bool = true
    ) -> LineReading {
        .entry(
            name: name, kind: .file, size: nil, modified: modified, precision: precision, isLocalTime: true,
            isEvidence: isEvidence)
    }

    /// `01.01`.
    private static func isVersion(_ word: ArraySlice<UInt8>) -> Bool {
        guard word.count == 5, let period = word.firstIndex(of: ASCII.period) else { return false }
        return word[..<period].oneOrTwoDigits != nil && word[(period + 1)...].oneOrTwoDigits != nil
    }

    /// Six digits of base 16.
    private static func isHexadecimal(_ word: ArraySlice<UInt8>) -> Bool {
        word.count == 6 && word.allSatisfy { ASCII.isDigit($0) || (0x41...0x46).contains(ASCII.uppercased($0)) }
    }
}
