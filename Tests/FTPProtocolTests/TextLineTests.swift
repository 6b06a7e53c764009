import FTPProtocol
import Testing
import Vocabulary

/// Lines of `LIST` that the corpus does not hold, or whose rule deserves a name. Now is 2024-06-15 12:00.
@Suite struct TextLineTests {
    private static let now = utc(2024, 6, 15, 12) ?? Timestamp(seconds: 0)

    private func listing(_ lines: String..., now: Timestamp = now) -> Listing {
        var parser = ListingParser(format: .text, now: now)
        parser.consume(bytes(lines.joined(separator: "\r\n") + "\r\n"))
        return parser.finish()
    }

    @Test(
        arguments: [
            ("Jun 10 10:11", utc(2024, 6, 10, 10, 11), .minute), ("Jun 10  2021", utc(2021, 6, 10), .day),
            ("Jun 10 2021", utc(2021, 6, 10), .day), ("jun 9 9:05", utc(2024, 6, 9, 9, 5), .minute),
            ("Jun 10 10:11:12 2021", utc(2021, 6, 10, 10, 11, 12), .second),
            ("Jun 10 10:11:12", utc(2024, 6, 10, 10, 11, 12), .second), ("June 10 2021", utc(2021, 6, 10), .day),
            ("10 Jun 10:11", utc(2024, 6, 10, 10, 11), .minute), ("10. Juni 2021", utc(2021, 6, 10), .day),
            ("2021-06-10 10:11", utc(2021, 6, 10, 10, 11), .minute), ("2021-06-10", utc(2021, 6, 10), .day),
            ("2021-06-10 10:11:12.5", utc(2021, 6, 10, 10, 11, 12), .second),
            ("2021-06-10 10:11:12.123 +0200", utc(2021, 6, 10, 8, 11, 12), .second),
            ("2021-06-10 10:11:12 -0330", utc(2021, 6, 10, 13, 41, 12), .second),
            ("06-10 2021", utc(2021, 6, 10), .day), ("06-10 10:11", utc(2024, 6, 10, 10, 11), .minute),
            ("M\u{e4}r 10 2021", utc(2021, 3, 10), .day), ("6\u{6708} 10 2021", utc(2021, 6, 10), .day),
            ("6\u{6708} 10\u{65e5} 10:11", utc(2024, 6, 10, 10, 11), .minute),
            // A month of a language that is not known: the entry is there, its time is not.
            ("\u{399}\u{3bf}\u{3cd} 10 2021", nil, .day), ("\u{399}\u{3bf}\u{3cd} 10 10:11", nil, .minute),
            // The next minute, the end of the day, almost a day ahead, more than a day ahead, a leap day.
            ("Jun 15 12:01", utc(2024, 6, 15, 12, 1), .minute), ("Jun 14 24:00", utc(2024, 6, 15), .minute),
            ("Jun 16 12:00", utc(2024, 6, 16, 12), .minute), ("Jun 16 12:01", utc(2023, 6, 16, 12, 1), .minute),
            ("Dec 31 23:59", utc(2023, 12, 31, 23, 59), .minute), ("Feb 29 10:11", utc(2024, 2, 29, 10, 11), .minute),
        ] as [(String, Timestamp?, ListingEntry.Precision)])
    func dates(text: String, time: Timestamp?, precision: ListingEntry.Precision) throws {
        let listing = listing("-rw-r--r--   1 ftp ftp 42 \(text) a b")
        let entry = try #require(listing.entries.first, "\(String(describing: listing.firstSkipped))")
        #expect(entry.name.bytes == bytes("a b"))
        #expect(entry.size == 42)
        #expect(entry.modified?.seconds == time?.seconds)
        #expect(entry.precision == precision)
    }

    @Test func leapDayOfAnOrdinaryYearIsTheLastThatWas() {
        let now = utc(2023, 6, 15) ?? Timestamp(seconds: 0)
        let entry = listing("-rw-r--r-- 1 a b 1 Feb 29 10:11 x", now: now).entries.first
        #expect(entry?.modified == utc(2020, 2, 29, 10, 11))
    }

    @Test(arguments: [-62_135_596_800, 0, 253_402_300_799] as [Int64])
    func nowMayBeInAnyYear(seconds: Int64) {
        #expect(listing("-rw-r--r-- 1 a b 1 Jun 10 10:11 x", now: Timestamp(seconds: seconds)).entries.count == 1)
    }

    @Test func latin1MonthsAreKnown() {
        var parser = ListingParser(format: .text, now: Self.now)
        parser.consume(bytes("-rw-r--r-- 1 a b 1 M") + [0xE4] + bytes("r 10 2021 x\r\n"))
        #expect(parser.finish().entries.first?.modified == utc(2021, 3, 10))
    }

    @Test(
        arguments: [
            ("1 ftp ftp 42", 42), ("ftp ftp 42", 42), ("ftp 42", 42), ("1 42", 42), ("42", 42), ("1 a b c d 42", 42),
            ("1 ftp 1234567890 42", 42), ("1 ftp ftp 4,096", 4096),
            ("1 ftp ftp 1.234.567", 1_234_567), ("1 ftp ftp 1'234", 1234),
            ("1 ftp ftp 4.0K", nil), ("1 ftp ftp 12M", nil),
            ("1 ftp ftp125435904", nil), ("1 0 0 18446744073709551615", nil), ("1 jan feb 42", 42),
            ("1 10:11 2024 42", 42),
        ] as [(String, Int64?)])
    func columns(columns: String, size: Int64?) {
        let listing = listing("-rw-r--r-- \(columns) Jun 10  2021 a b")
        #expect(listing.entries.map(\.name.bytes) == [bytes("a b")])
        #expect(listing.entries.first?.size == size)
    }

    @Test(
        arguments: [
            ("-rw-r--r--", .file, 0o644), ("drwxr-xr-x", .directory, 0o755), ("-rwsr-sr-t", .file, 0o7755),
            ("-rwSr-Sr-T", .file, 0o7644), ("-rw-r-lr--", .file, 0o2644), ("drwxrwxrwx+", .directory, 0o777),
            ("-rw-r--r--.", .file, 0o644), ("-rw-r--r--@", .file, 0o644), ("prw-r--r--", .special, 0o644),
            ("srwxrwxrwx", .special, 0o777), ("crw-rw-rw-", .special, 0o666), ("drw-r--rw", .directory, 0o646),
        ] as [(String, ListingEntry.Kind, UInt32)])
    func permissions(field: String, kind: ListingEntry.Kind, mode: UInt32) {
        let entry = listing("\(field) 1 a b 1 Jun 10  2021 x").entries.first
        #expect(entry?.kind == kind)
        #expect(entry?.mode == mode)
    }

    @Test(arguments: [
        "-rw-r--r-- 1 a b 1 Jun 10  2021", "-rw-r--r-- 1 a b 1 Jun 10  2021 ", "-rw-r--r-- 1 a b 1 Jun 10  2021   ",
        "-rw-r--r-- 1 a b 1 Jun 31  2021 x", "-rw-r--r-- 1 a b 1 Jun 10 25:11 x", "-rw-r--r-- 1 a b 1 Jun 10 10:61 x",
        "-rw-r--r-- 1 a b 1x Jun 10  2021 x", "-rw-r--r-- 1 a b -1 Jun 10  2021 x", "-rw-r--r-- Jun 10  2021 x",
        "-rw-r--r-- 1 a b 1 Jun 10  2021 a/b", "-rw-r--r-- 1 a b 1 Jun 10  2021 a\0b",
        "-rw-r--r-- 1 a b 1 Jun 10  2021 /",
        "drwxr-xr-x 1 a b 1 Jun 10  2021 /", "xrw-r--r-- 1 a b 1 Jun 10  2021 x", "-rw-r--q-- 1 a b 1 Jun 10  2021 x",
        "-rw-r--r--", "-", "-rw-r--r--x 1 a b 1 Jun 10  2021 x", "-rw-r--r-- 1 a b 1 2021", "-rw-r--r-- 1 a b 1 10:11",
        "-rw-r--r-- 1 a b 1 Jun", "garbage line here", "ls: cannot open directory '.': Permission denied",
        "06-10-24", "06-10-24  02:05PM", "06-10-24  02:05PM  77", "06-10-24  02:05PM  <DIR>  ",
        "06-10-24  13:05PM  77 x",
        "06-10-24  00:05PM  77 x", "06-10-24  02:05XM  77 x", "13-13-24  02:05PM  77 x", "06-10-24  02:05PM  77x x",
        "06-10-24  02:05PM  <FOO>  x", "06-10-24  02:05PM  -1 x", "06-10-24  02:05PM  77 a/b",
        "06-10-124  02:05PM  77 x",
    ])
    func brokenLinesAreSkippedAndCounted(line: String) {
        let listing = listing(line, "-rw-r--r-- 1 a b 1 Jun 10  2021 good")
        #expect(listing.entries.map(\.name.bytes) == [bytes("good")])
        #expect(listing.skipped == 1)
        #expect(listing.firstSkipped == printable(bytes(line)))
    }

    @Test(arguments: [
        ("total 20"), ("Gesamt 12K"), ("итого 4"), (""), ("   "), (".:"), ("/pub/sub dir:"),
        ("drwxr-xr-x 1 a b 1 Jun 10  2021 ."), ("drwxr-xr-x 1 a b 1 Jun 10  2021 .."),
    ])
    func linesThatNameNothingAreNotCounted(line: String) {
        let listing = listing(line, "-rw-r--r-- 1 a b 1 Jun 10  2021 good")
        #expect(listing.entries.count == 1)
        #expect(listing.skipped == 0)
        #expect(listing.firstSkipped == nil)
    }

    @Test(
        arguments: [
            ("a -> b", "a", "b"), ("a b -> c d", "a b", "c d"), ("a -> b -> c", "a", "b -> c"), ("a", "a", nil),
            ("a ->", "a ->", nil), ("a -> ", "a", ""), ("a->b", "a->b", nil),
        ] as [(String, String, String?)])
    func links(text: String, name: String, target: String?) {
        let link = listing("lrwxrwxrwx 1 a b 1 Jun 10  2021 \(text)").entries.first
        #expect(link?.name.bytes == bytes(name))
        #expect(link?.linkTarget == target.map(bytes))
        // Anything else may have an arrow in its name.
        let file = listing("-rwxrwxrwx 1 a b 1 Jun 10  2021 \(text)").entries.first
        #expect(file?.name.bytes == bytes(text))
        #expect(file?.linkTarget == nil)
    }

    @Test func directoriesMarkedByASlash() {
        #expect(listing("drwxr-xr-x 1 a b 1 Jun 10  2021 sub/").entries.map(\.name.bytes) == [bytes("sub")])
    }

    // MARK: DOS

    @Test func theDirectoriesThemselvesAreNotCounted() {
        let listing = listing("06-10-24  02:05PM  <DIR>  .", "06-10-24  02:05PM  <DIR>  ..", "06-10-24  02:05PM  1 x")
        #expect(listing.entries.map(\.name.bytes) == [bytes("x")])
        #expect(listing.skipped == 0)
        #expect(listing.showsItself)
    }

    @Test(arguments: [
        ("06-10-24  02:05PM", utc(2024, 6, 10, 14, 5)), ("06-10-2024  14:05", utc(2024, 6, 10, 14, 5)),
        ("6/1/2024  2:05 pm", utc(2024, 6, 1, 14, 5)), ("25-06-24  02:05a", utc(2024, 6, 25, 2, 5)),
        ("2024-06-10  02:05AM", utc(2024, 6, 10, 2, 5)), ("06-10-70  12:00AM", utc(1970, 6, 10)),
        ("06-10-69  12:00PM", utc(2069, 6, 10, 12)), ("10.06.24  14:05", utc(2024, 6, 10, 14, 5)),
    ])
    func datesOfDOS(text: String, time: Timestamp?) {
        let listing = listing("\(text)       <DIR>          a b", "\(text)   1,234 x")
        #expect(listing.entries.map(\.name.bytes) == [bytes("a b"), bytes("x")])
        #expect(listing.entries.map(\.kind) == [.directory, .file])
        #expect(listing.entries.map(\.size) == [nil, 1234])
        #expect(listing.entries.map(\.modified) == [time, time])
        #expect(listing.entries.map(\.precision) == [.minute, .minute])
        #expect(listing.entries.map(\.mode) == [nil, nil])
    }

    @Test func blanksBeforeNamesAreKeptInTheColumnsOfIIS() {
        #expect(listing("06-10-24  02:05PM                   77  a ").entries.first?.name.bytes == bytes(" a "))
        #expect(listing("06-10-2024  02:05PM                   77  a ").entries.first?.name.bytes == bytes(" a "))
        #expect(listing("06-10-24  02:05PM      77  a ").entries.first?.name.bytes == bytes("a "))
    }

    @Test(
        arguments: [
            ("<JUNCTION>     My Music [C:\\Users\\me]", "My Music", .directory), ("<SYMLINKD>     a", "a", .directory),
            ("<SYMLINKD>     a [..\\b]", "a", .directory), ("<SYMLINK>      a [b:c]", "a", .file),
            ("<JUNCTION>  a => b", "a", .directory),
            ("<JUNCTION>     a [b]", "a [b]", .directory), ("<dir>   a [C:\\x]", "a [C:\\x]", .directory),
        ] as [(String, String, ListingEntry.Kind)])
    func linksOfDOS(text: String, name: String, kind: ListingEntry.Kind) {
        let entry = listing("06-10-24  02:05PM       \(text)").entries.first
        #expect(entry?.name.bytes == bytes(name))
        #expect(entry?.kind == kind)
        #expect(entry?.size == nil)
    }
}
