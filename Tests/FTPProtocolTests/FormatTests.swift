import FTPProtocol
import Testing
import Vocabulary

/// The formats of systems that are hardly seen any more, and how the format of a listing is found. Now is 2024-06-15 12:00.
@Suite struct FormatTests {
    private static let now = utc(2024, 6, 15, 12) ?? Timestamp(seconds: 0)

    private func listing(_ lines: [String], style: ListingStyle? = nil) -> Listing {
        var parser = ListingParser(format: .text, now: Self.now, style: style)
        parser.consume(bytes(lines.map { $0 + "\r\n" }.joined()))
        return parser.finish()
    }

    private func names(_ listing: Listing) -> [String] { listing.entries.map(\.name.description) }

    /// One line, and what it means.
    struct Row: Sendable, CustomTestStringConvertible {
        let format: TextFormat
        let line: String
        let name: String
        let kind: ListingEntry.Kind
        let size: Int64?
        let time: Timestamp?
        let mode: UInt32?
        var testDescription: String { "\(format): \(line)" }

        init(
            _ format: TextFormat, _ line: String, _ name: String, _ kind: ListingEntry.Kind, _ size: Int64?,
            _ time: Timestamp?, mode: UInt32? = nil
        ) {
            self.format = format
            self.line = line
            self.name = name
            self.kind = kind
            self.size = size
            self.time = time
            self.mode = mode
        }
    }

    static let rows = [
        // The size in blocks says nothing of the size in bytes.
        Row(
            .vms, "A.TXT;3   9/12   2-JUN-1998 07:32:04  [GROUP,OWNER]  (RWED,RWED,RE,R)", "A.TXT", .file, nil,
            utc(1998, 6, 2, 7, 32, 4), mode: 0o754),
        Row(
            .vms, "SUB.DIR;1  1  2-JUN-1998 07:32 [GROUP, OWNER] (RWE,RWE,RE,E)", "SUB", .directory, nil,
            utc(1998, 6, 2, 7, 32), mode: 0o751),
        Row(.vms, "README.;1  2KB  23-SEP-2005 14:57:07.27", "README.", .file, nil, utc(2005, 9, 23, 14, 57, 7)),
        Row(
            .vms, "SECRET.DAT;7  %RMS-E-PRV, insufficient privilege or file protection violation", "SECRET.DAT",
            .file, nil, nil),
        Row(
            .eplf, "+i8388621.44468,m839956783,r,s10376,up644,\tRFC EPLF ", "RFC EPLF ", .file, 10376,
            Timestamp(seconds: 839_956_783), mode: 0o644),
        Row(.eplf, "+/,\tdev", "dev", .directory, nil, nil),
        Row(.eplf, "+r,m99999999999999999,s-1,x9,\ta", "a", .file, nil, nil),
        Row(
            .netware, "d[RWCEAFMS] admin  512  Jan 16 18:53    login", "login", .directory, nil,
            utc(2024, 1, 16, 18, 53)),
        Row(
            .netware, "- [R----F--] rhesus 214059 Oct 20 2001 cx.exe", "cx.exe", .file, 214059, utc(2001, 10, 20)),
        Row(.os400, "PEP  4019 04/03/18 18:58:16 *STMF  a b.zip", "a b.zip", .file, 4019, utc(2004, 3, 18, 18, 58, 16)),
        Row(
            .os400, "QSYS 77824 23/02/00 15:09:55 *LIB X.LIB/", "X.LIB", .directory, nil,
            utc(2000, 2, 23, 15, 9, 55)),
        Row(.os400, "QPGMR                    *MEM       DATA.MBR", "DATA.MBR", .file, nil, nil),
        Row(
            .os400, "QSYS 1 29.06.13 15:45:09 *SYMLNK link", "link", .symbolicLink, nil,
            utc(2013, 6, 29, 15, 45, 9)),
        Row(
            .mvsDatasets, "WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  A.B", "A.B", .file, nil,
            utc(2003, 5, 21)),
        Row(
            .mvsDatasets, "NRP004 3390   **NONE**    1   15  NONE     0     0  PO-E  A.LIB", "A.LIB", .directory, nil,
            nil),
        Row(
            .mvsDatasets, "TSO005 3390   2005/06/06 213000 U 0 27998 PO LOAD.LIB", "LOAD.LIB", .directory, nil,
            utc(2005, 6, 6)),
        Row(.mvsDatasets, "TSO004 3390   VSAM A.CLUSTER", "A.CLUSTER", .file, nil, nil),
        Row(.mvsDatasets, "V43525 Tape   OLD.DATA", "OLD.DATA", .file, nil, nil),
        Row(.mvsDatasets, "Migrated      OLDER.DATA", "OLDER.DATA", .file, nil, nil),
        Row(.mvsDatasets, "Pseudo Directory  PROJECT", "PROJECT", .directory, nil, nil),
        Row(
            .mvsMembers, "REPORT    01.01 2004/06/22 2004/06/23 16:32   128   128    0 BOBY12", "REPORT", .file, nil,
            utc(2004, 6, 23, 16, 32)),
        Row(.mvsMembers, "PROGRAM    00B308 000411  00 FO   31    ANY", "PROGRAM", .file, nil, nil),
        Row(
            .vm, "PROFILE  EXEC     V   30   3   1 1999-05-18 13:53:13 TCPMAIN", "PROFILE.EXEC", .file, nil,
            utc(1999, 5, 18, 13, 53, 13)),
        Row(.vm, "CARDS  DATA  F  80  12  1 7/28/99 12:24:01", "CARDS.DATA", .file, 960, utc(1999, 7, 28, 12, 24, 1)),
        Row(.vm, "WORK  DIR  -  -  -  - 1999-05-18 13:53:13 -", "WORK", .directory, nil, utc(1999, 5, 18, 13, 53, 13)),
        Row(.os2, "  0 DIR   A   02-11-103  16:15  a b", "a b", .directory, nil, utc(2003, 2, 11, 16, 15)),
        Row(.os2, "46633   RA   04-23-99  10:57  x.txt", "x.txt", .file, 46633, utc(1999, 4, 23, 10, 57)),
        Row(
            .nonStop, "REPORT  101O  204  6-Apr-07 14:21:18 255, 0 \"oooo\"", "REPORT", .file, 204,
            utc(2007, 4, 6, 14, 21, 18)),
        Row(
            .vxWorks, "  2048    Feb-28-1998  05:23:30   FLASH  <DIR>", "FLASH", .directory, nil,
            utc(1998, 2, 28, 5, 23, 30)),
        Row(.vxWorks, "  99  Jan-02-1998  05:23:30   a.out", "a.out", .file, 99, utc(1998, 1, 2, 5, 23, 30)),
        Row(
            .wellfleet, "config  3739326  06/03/04  Thur.   10:20:03", "config", .file, 3739326,
            utc(2004, 6, 3, 10, 20, 3)),
        Row(.vshell, "176486  Apr 04, 2000 21:06  a", " a", .file, 176486, utc(2000, 4, 4, 21, 6)),
        Row(.vshell, "0  Dec 12, 2002 02:13 work/", "work", .directory, nil, utc(2002, 12, 12, 2, 13)),
        Row(
            .connectEnterprise, "-C--E-----FTP B QUA1I1 18128 2777777777 Aug 12 13:56 X Y", "X Y", .file, 2_777_777_777,
            utc(2023, 8, 12, 13, 56)),
        Row(
            .numeric, "0100644   500  101   12345    123456789       a b", "a b", .file, 12345,
            Timestamp(seconds: 123_456_789), mode: 0o644),
        Row(.numeric, "0041755 0 0 512 0 d", "d", .directory, nil, Timestamp(seconds: 0), mode: 0o1755),
        // What Macintoshes print: two forks and their sum, or the number of entries of a folder.
        Row(
            .unix, "-------r--         326  1391972  1392298 Nov 22  1995 a.sit", "a.sit", .file, 1_392_298,
            utc(1995, 11, 22), mode: 4),
        Row(
            .unix, "drwxrwxr-x               folder        2 May 10  1996 network", "network", .directory, nil,
            utc(1996, 5, 10), mode: 0o775),
    ]

    @Test(arguments: rows)
    func readsALine(row: Row) throws {
        let listing = listing([row.line])
        let entry = try #require(listing.entries.first, "\(String(describing: listing.firstSkipped))")
        #expect(listing.style?.format == row.format)
        #expect(entry.name.bytes == bytes(row.name))
        #expect(entry.kind == row.kind)
        #expect(entry.size == row.size)
        #expect(entry.modified?.seconds == row.time?.seconds)
        #expect(entry.mode == row.mode)
        #expect(listing.entries.count == 1)
        #expect(listing.skipped == 0)
    }

    @Test(arguments: TextFormat.allCases)
    func everyFormatHasALine(format: TextFormat) {
        #expect(format == .dos || Self.rows.contains { $0.format == format })
    }

    /// Sentences, halves of lines, and what is nearly of a format.
    @Test(arguments: [
        "Permission denied.", "226 Transfer complete", "No files found", "total", "Migrated",
        "Migrated to another host",
        "There are 3 files; 2 of them are new", "A;B", "A;1x 9 2-JUN-1998 07:32", "A.TXT;1 9/12",
        "A.TXT;1 9 2-JUN-1998 x",
        "A.TXT;99999999999999999999 9 2-JUN-1998 07:32", "A.TXT;1 nothing known", "Directory is empty",
        "+i8388621.44468,m839956783,r,s10376 a", "+\t", "+r,\t", "+r,\ta/b", "+r,\t..",
        "d [R----F--] supervisor 512 Jan 16 18:53", "d [R--/-F--] supervisor 512 Jan 16 18:53 x", "d [R----F--] x",
        "QSYS 77824 02/23/00 15:09:55 *DIR", "QSYS 77824 99/99/99 15:09:55 *DIR x",
        "QSYS 77824 02/23/00 15:09:55 DIR x",
        "QSYS 1 02/23/00 15:09:55 *STMF a/b", "Starring * x",
        "WYOSPT 3420 2003/05/21 1 200 FB 80 8053 PS", "WYOSPT 3420 2003/99/21 1 200 FB 80 8053 PS A.B",
        "TSO004 3390 VSAM A/B", "REPORT 01.01 2004/06/22", "REPORT 01.01 2004/06/22 2004/06/22 16:32",
        "PROFILE EXEC X 30 3 1 1999-05-18 13:53:13 TCPMAIN", "PROFILE EXEC V 30 3 1 1999-05-18 13:53:13 A B",
        "PROFILE EXEC V x 3 1 1999-05-18 13:53:13", "0 DIR A H 02-11-103 16:15", "0 DIR 02-11-103 16:15",
        "0 DIX 02-11-103 16:15 x", "12 04-23-99 10:57", "REPORT 101 204 6-Apr-07 14:21:18",
        "REPORT 101 204 6-Foo-07 14:21:18 255,255 \"oooo\"", "2048 Feb-28-1998 05:23:30",
        "2048 Feb-28-1998 05:23:30 <DIR>",
        "config 3739326 06/03/04 Thur. 10:20:03 x", "config 3739326 06/03/04 4 10:20:03",
        "176486 Apr 04, 2000 21:06", "176486 Apr 04 2000 21:06 x", "176486 Apr 32, 2000 21:06 x",
        "-C--E-----FTP B BCC3I1 7670 3029921 Jan 13 07:42", "-C--E----- B BCC3I1", "0100644 500 101 12345 123456789",
        "0200644 500 101 12345 123456789 x", "0100644 500 101 12345 -1 x", "0100944 500 101 12345 1 x",
    ])
    func inventsNothing(line: String) {
        #expect(names(listing([line])) == [])
    }

    // MARK: VMS

    @Test func theHighestVersionCounts() {
        let rest = "2-JUN-1998 07:32:04 [G,O] (RWED,RWED,RE,R)"
        let listing = listing([
            "Directory DKA0:[PUB]", "", "A.TXT;2 9/12 \(rest)", "B.TXT;1 1/3 \(rest)",
            "A.TXT;10 1/3 3-JUN-1998 01:02:03",
            "A.TXT;9 1/3 \(rest)", "", "Total of 4 files, 12 blocks.",
        ])
        #expect(names(listing) == ["A.TXT", "B.TXT"])
        #expect(listing.entries.first?.modified == utc(1998, 6, 3, 1, 2, 3))
        #expect(listing.currentDirectory == bytes("DKA0:[PUB]"))
        #expect(listing.skipped == 0)
    }

    @Test func longNamesHaveALineForThemselves() {
        let listing = listing([
            "Directory DKA0:[PUB]", "", "A_VERY_LONG_NAME_INDEED.TXT;1",
            "                  9/12  2-JUN-1998 07:32:04 [G,O] (R,R,R,)",
            "LOST.TXT;1", "B.TXT;1 9/12 2-JUN-1998 07:32", "LAST.TXT;1", "",
            "Grand total of 1 directory, 2 files, 4 blocks.",
        ])
        #expect(names(listing) == ["A_VERY_LONG_NAME_INDEED.TXT", "B.TXT"])
        #expect(listing.skipped == 2)
        #expect(listing.firstSkipped == "LOST.TXT;1")
    }

    // MARK: MVS

    @Test func membersWithoutStatisticsAreNamesAlone() {
        let title = " Name     VV.MM   Created       Changed      Size  Init   Mod   Id"
        #expect(names(listing([title, " MEMBER1", " MEMBER2"])) == ["MEMBER1", "MEMBER2"])
        #expect(listing([title]).skipped == 0)
        // Without anything that shows what they are, words are not names.
        #expect(names(listing(["MEMBER1", "MEMBER2"])) == [])
    }

    @Test func titlesOfColumnsAreNotCounted() {
        let volumes = listing([
            "Volume Unit    Referred Ext Used Recfm Lrecl BlkSz Dsorg Dsname",
            "WYOSPT 3420   2003/05/21  1  200  FB      80  8053  PS  A.B",
        ])
        #expect(names(volumes) == ["A.B"])
        #expect(volumes.skipped == 0)
        let tandem = listing([
            "File         Code             EOF  Last Modification    Owner  RWEP",
            "A             101             204   6-Apr-07 14:21:18 255,255 \"oooo\"",
        ])
        #expect(names(tandem) == ["A"])
        #expect(tandem.skipped == 0)
        let flash = listing([
            "  size          date       time       name", "--------       ------     ------    --------",
            "    2048    Feb-28-1998  05:23:30   A",
        ])
        #expect(names(flash) == ["A"])
        #expect(flash.skipped == 0)
    }

    // MARK: Choosing

    private static let unix = (0..<3).map { "-rw-r--r-- 1 a b 1 Jun 10  2021 unix\($0)" }
    private static let dos = (0..<2).map { "06-10-24  02:05PM  77 dos\($0)" }

    @Test func mostLinesDecide() {
        #expect(names(listing(Self.unix + Self.dos)) == ["unix0", "unix1", "unix2"])
        #expect(names(listing(Self.dos + Self.unix)) == ["unix0", "unix1", "unix2"])
        #expect(names(listing(Self.dos + Self.unix.prefix(1))) == ["dos0", "dos1"])
        #expect(listing(Self.dos + Self.unix).skipped == 2)
    }

    @Test func whatIsKnownOfTheServerDecidesATie() {
        let lines = Self.dos + Self.unix.prefix(2)
        #expect(names(listing(lines)) == ["unix0", "unix1"])
        #expect(names(listing(lines, style: ListingStyle(format: .dos))) == ["dos0", "dos1"])
        // But it is no rule.
        #expect(names(listing(Self.unix, style: ListingStyle(format: .dos))) == ["unix0", "unix1", "unix2"])
        #expect(listing(Self.unix, style: ListingStyle(format: .dos)).style?.format == .unix)
    }

    @Test func messagesInFrontDoNotDecide() {
        let messages = (0..<200).map { "message number \($0) of this server is long enough to be one" }
        let listing = listing(messages + Self.unix)
        #expect(names(listing) == ["unix0", "unix1", "unix2"])
        #expect(listing.skipped == 200)
        #expect(listing.firstSkipped == messages[0])
    }

    @Test func onceChosenAFormatIsKept() {
        let many = (0..<40).map { "-rw-r--r-- 1 a b 1 Jun 10  2021 unix\($0)" }
        let others = (0..<100).map { "06-10-24  02:05PM  77 dos\($0)" }
        let listing = listing(many + others)
        #expect(listing.entries.count == 40)
        #expect(listing.skipped == 100)
    }

    @Test func styleIsKeptWhereNothingShowsAnother() {
        let style = ListingStyle(format: .vms, dateOrder: .dayMonthYear)
        #expect(listing([], style: style).style == style)
        #expect(listing(["total 0"], style: style).style == style)
        #expect(listing([]).style == nil)
        #expect(listing(Self.unix, style: style).style == ListingStyle(format: .unix, dateOrder: .dayMonthYear))
    }

    // MARK: The order of numbers in dates

    private func dates(_ words: [String], style: ListingStyle? = nil) -> [Timestamp?] {
        listing(words.enumerated().map { "\($1)  02:05PM  77 file\($0)" }, style: style).entries.map(\.modified)
    }

    @Test func oneDateDecidesForAll() {
        #expect(
            dates(["05-06-97", "20-05-97", "01-02-97"])
                == [utc(1997, 6, 5, 14, 5), utc(1997, 5, 20, 14, 5), utc(1997, 2, 1, 14, 5)])
        #expect(
            dates(["05-06-97", "05-20-97", "01-02-97"])
                == [utc(1997, 5, 6, 14, 5), utc(1997, 5, 20, 14, 5), utc(1997, 1, 2, 14, 5)])
        #expect(
            dates(["05-06-07", "98-05-20", "01-02-03"])
                == [utc(2005, 6, 7, 14, 5), utc(1998, 5, 20, 14, 5), utc(2001, 2, 3, 14, 5)])
        #expect(dates(["05/06/1997", "20/05/1997"]) == [utc(1997, 6, 5, 14, 5), utc(1997, 5, 20, 14, 5)])
    }

    @Test func theFutureIsNotMeant() {
        // 2024-09-05 would be in the future, 2024-05-09 is not.
        #expect(dates(["09-05-24", "01-02-24"]) == [utc(2024, 5, 9, 14, 5), utc(2024, 2, 1, 14, 5)])
    }

    @Test func withoutEvidenceTheHabitOfTheServerDecides() {
        #expect(dates(["05-06-97"]) == [utc(1997, 5, 6, 14, 5)])
        let style = ListingStyle(format: .dos, dateOrder: .dayMonthYear)
        #expect(dates(["05-06-97"], style: style) == [utc(1997, 6, 5, 14, 5)])
        // It is learnt where it shows, and kept where it does not.
        #expect(listing(["20-05-97  02:05PM  77 x"]).style == ListingStyle(format: .dos, dateOrder: .dayMonthYear))
        #expect(listing(["05-06-97  02:05PM  77 x"], style: style).style == style)
        #expect(listing(["05-06-97  02:05PM  77 x"]).style == ListingStyle(format: .dos))
    }

    @Test func theEndOfTheDayStaysOne() {
        let listing = listing([
            "-rw-r--r-- 1 a b 1 05/06/1997 24:00 x", "-rw-r--r-- 1 a b 1 20/05/1997 24:00 y",
        ])
        #expect(listing.entries.map(\.modified) == [utc(1997, 6, 6), utc(1997, 5, 21)])
    }

    // MARK: The end

    @Test func halfALineOfACutListingIsNoName() {
        for (format, text) in [
            (ListingFormat.text, "-rw-r--r-- 1 a b 1 Jun 10  2021 whole\r\n-rw-r--r-- 1 a b 1 Jun 10  2021 ha"),
            (.machine, "type=file; whole\r\ntype=file; ha"),
        ] {
            var parser = ListingParser(format: format, now: Self.now)
            parser.consume(bytes(text))
            let listing = parser.finish(isCut: true)
            #expect(names(listing) == ["whole"])
            #expect(listing.skipped == 1)
            parser.consume(bytes(text))
            #expect(names(parser.finish()) == ["whole", "ha"])
        }
    }
}
