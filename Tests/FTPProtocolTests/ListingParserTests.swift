import FTPProtocol
import Testing
import Vocabulary

@Suite struct ListingParserTests {
    private func parse(_ format: ListingFormat, _ text: String) -> Listing {
        var parser = ListingParser(format: format, now: Timestamp(seconds: 1_718_452_800))
        parser.consume(bytes(text))
        return parser.finish()
    }

    private func names(_ listing: Listing) -> [String] { listing.entries.map(\.name.description) }

    @Test func keepsTheOrderAndTheFirstOfEqualNames() {
        let listing = parse(.machine, "type=file;size=1; b\ntype=file;size=2; a\ntype=file;size=3; b\n")
        #expect(names(listing) == ["b", "a"])
        #expect(listing.entries.map(\.size) == [1, 2])
        #expect(listing.skipped == 0)
    }

    @Test func takesALastLineWithoutLineEnd() {
        #expect(names(parse(.machine, "type=file; a\r\ntype=file; b")) == ["a", "b"])
        #expect(names(parse(.machine, "type=file; a\r")) == ["a"])
        #expect(names(parse(.machine, "")) == [])
    }

    @Test func canBeUsedAgainAfterTheEnd() {
        var parser = ListingParser(format: .machine, now: Timestamp(seconds: 0))
        parser.consume(bytes("type=file; a\nrubbish\n"))
        #expect(parser.finish().skipped == 1)
        parser.consume(bytes("type=file; a\n"))
        let second = parser.finish()
        #expect(names(second) == ["a"])
        #expect(second.skipped == 0)
    }

    @Test func tellsTheDirectoryThatTheServerNames() {
        let machine = parse(.machine, "type=cdir; /pub\ntype=pdir; /\ntype=file; a\n")
        #expect(machine.currentDirectory == bytes("/pub"))
        #expect(names(machine) == ["a"])
        #expect(machine.skipped == 0)
        #expect(parse(.text, "/pub:\n").currentDirectory == bytes("/pub"))
        #expect(parse(.text, "total 0\n").currentDirectory == nil)
    }

    @Test func leavesSubdirectoriesOfARecursiveListingOut() {
        let line = "-rw-r--r-- 1 a b 1 Jun 10  2021"
        let listing = parse(
            .text, ".:\n\(line) a\ndrwxr-xr-x 1 a b 1 Jun 10  2021 sub\n\n./sub:\ntotal 1\n\(line) inner\n")
        #expect(names(listing) == ["a", "sub"])
        #expect(listing.currentDirectory == bytes("."))
        #expect(listing.skipped == 3)
        #expect(listing.firstSkipped == "./sub:")
    }

    @Test func listingInTheOtherFormatIsNotMisread() {
        #expect(names(parse(.machine, "-rw-r--r-- 1 a b 1 Jun 10  2021 x\n06-10-24  02:05PM  1 x\n")) == [])
        #expect(names(parse(.text, "type=file;size=1; x\n")) == [])
    }

    @Test func showsTheFirstSkippedLineWithoutHarm() {
        let listing = parse(.text, "bad \u{1b}[2J line\n" + String(repeating: "x", count: 5_000) + "\n")
        #expect(listing.skipped == 2)
        #expect(listing.firstSkipped == "bad \\x1b[2J line")
        #expect((parse(.text, String(repeating: "x", count: 5_000)).firstSkipped?.utf8.count ?? 0) < 1_000)
    }

    @Test(arguments: [1, 1_000, 5_000_000])
    func skipsLinesThatAreTooLong(piece: Int) {
        // Given a line of five megabytes between two good ones, in pieces of some size,
        let long = [UInt8](repeating: 0x61, count: piece == 1 ? 100_000 : 5_000_000)
        let wire = bytes("type=file; a\n") + bytes("type=file; ") + long + bytes("\ntype=file; b\n")
        var parser = ListingParser(format: .machine, now: Timestamp(seconds: 0))
        for start in stride(from: 0, to: wire.count, by: piece) {
            parser.consume(Array(wire[start..<min(wire.count, start + piece)]))
        }

        // then it alone is missing.
        let listing = parser.finish()
        #expect(names(listing) == ["a", "b"])
        #expect(listing.skipped == 1)
        #expect(listing.firstSkipped == "(a line of more than 16384 bytes)")
    }

    @Test func takesTheLongestLine() {
        let target = String(
            repeating: "t", count: ListingParser.maximumLineLength - bytes("type=OS.unix=slink:; a").count)
        let line = "type=OS.unix=slink:\(target); a"
        #expect(parse(.machine, line + "\r\n").entries.first?.linkTarget?.count == target.utf8.count)
        #expect(parse(.machine, line + "\n").entries.count == 1)
        #expect(parse(.machine, line + "x\r\n").entries.isEmpty)
        #expect(parse(.machine, line + "x\n").entries.isEmpty)
    }

    @Test func manyEntries() {
        let text = (0..<20_000).map { "-rw-r--r-- 1 ftp ftp \($0) Jun 10 10:11 file \($0)\r\n" }.joined()
        let listing = parse(.text, text)
        #expect(listing.entries.count == 20_000)
        #expect(listing.entries.last?.size == 19_999)
        #expect(listing.skipped == 0)
    }
}
