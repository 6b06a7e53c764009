import FTPProtocol
import Testing
import Vocabulary

/// Lines of `MLSD` and `MLST` that the corpus does not hold.
@Suite struct FactLineTests {
    private static let time = utc(2024, 6, 10, 10, 11, 12)

    @Test func readsAllFacts() throws {
        let line = "type=file;size=42;modify=20240610101112;UNIX.mode=0640;perm=adfrw;unique=1;x.y=; a b"
        let entry = try #require(FactLine.parse(bytes(line)))
        #expect(
            entry
                == ListingEntry(
                    name: try FileName(validating: "a b"), kind: .file, size: 42, modified: Self.time,
                    precision: .second,
                    mode: 0o640))
    }

    @Test(arguments: [
        // Names, exactly as they stand.
        ("type=file;  a", " a"), ("type=file; a ", "a "), ("type=file; a;b=c; d", "a;b=c; d"), ("type=file; =", "="),
        ("type=file; \ta", "\ta"), ("type=file; a -> b", "a -> b"), ("type=file; ...", "..."),
        // Blanks before the facts, no last semicolon, empty facts, a fact that has no name.
        (" type=file; a", "a"), ("   type=file;size=1; a", "a"), ("type=file a", "a"), ("type=file;size=1 a", "a"),
        ("type=file;;size=1; a", "a"), ("type=file;size; a", "a"), ("size=1; a", "a"),
        // No blank in front of the name, which may hold others; a mark behind directories.
        ("type=file;size=1;a", "a"), ("type=file;a b", "a b"), ("type=dir; a/", "a"),
    ])
    func names(line: String, name: String) {
        #expect(FactLine.parse(bytes(line))?.name.bytes == bytes(name))
    }

    @Test(arguments: [
        "", " ", "a", "type=file", "type=file;", "type=file; ", "type=file; .", "type=file; ..", "type=file; a/b",
        "type=file; /a", "type=file; a\0b", "type=cdir; a", "type=pdir; a", "drwxr-xr-x 2 a b 0 Jan 1 2020 x",
        "-rw-r--r-- 1 a=b c 0 Jan 1 2020 x", " a", "; a", "/x=1 y", "total 5",
        "type=file; " + String(repeating: "a", count: 256),
        // Nobody knows where the name begins.
        "type=file;a;b", "size=1;a", "type=file; a/",
    ])
    func refuses(line: String) {
        #expect(FactLine.parse(bytes(line)) == nil)
    }

    @Test(
        arguments: [
            ("type=file", .file), ("TYPE=DIR", .directory), ("Type=OS.Unix=slink:/x", .symbolicLink),
            ("type=OS.unix=symlink", .symbolicLink), ("type=OS.unix=chr-1/3", .special),
            ("type=OS.unix=socket", .special),
            ("type=device", .special), ("sizd=4096", .directory), ("perm=flcdmpe", .directory),
            ("perms=el", .directory),
            ("perm=adfrw", .file), ("size=5", .file), ("type=file;perm=el", .file),
        ] as [(String, ListingEntry.Kind)])
    func kinds(facts: String, kind: ListingEntry.Kind) {
        #expect(FactLine.parse(bytes(facts + "; a"))?.kind == kind)
    }

    @Test(
        arguments: [
            ("slink:/a", "/a"), ("slink:a b", "a b"), ("slink:a;b", "a;b"), ("slink:a;b;c", "a;b;c"),
            ("slink:a:b", "a:b"),
            ("slink:", nil), ("slink", nil), ("symlink:a", "a"),
        ] as [(String, String?)])
    func targets(type: String, target: String?) throws {
        let entry = try #require(FactLine.parse(bytes("type=OS.unix=\(type);size=9;UNIX.mode=0777; a")))
        #expect(entry.kind == .symbolicLink)
        #expect(entry.linkTarget == target.map(bytes))
        #expect(entry.mode == 0o777)
        #expect(entry.size == nil)
    }

    @Test(arguments: [0x00, 0x0A, 0x0D] as [UInt8])
    func aTargetThatIsNoPathIsNone(byte: UInt8) throws {
        let line = bytes("type=OS.unix=slink:/x") + [byte] + bytes("y; a")
        let entry = try #require(FactLine.parse(line))
        #expect(entry.kind == .symbolicLink)
        #expect(entry.linkTarget == nil)
        #expect(FactLine(parsing: Reply(code: 250, lines: [line]))?.linkTarget == nil)
    }

    @Test func aLaterTypeReplacesTheTargetToo() throws {
        let entry = try #require(FactLine.parse(bytes("type=OS.unix=slink:/x;type=file;size=9; a")))
        #expect(entry.kind == .file)
        #expect(entry.linkTarget == nil)
    }

    @Test(
        arguments: [
            ("size=0", 0), ("size=9223372036854775807", .max), ("size=9223372036854775808", nil), ("size=-1", nil),
            ("size=", nil), ("size=1x", nil), ("type=dir;size=4096", nil),
        ] as [(String, Int64?)])
    func sizes(facts: String, size: Int64?) throws {
        #expect(try #require(FactLine.parse(bytes(facts + "; a"))).size == size)
    }

    @Test(
        arguments: [
            ("UNIX.mode=0644", 0o644), ("unix.MODE=755", 0o755), ("UNIX.mode=100644", 0o644),
            ("unix.mode=0o644", 0o644), ("unix.mode=0o", nil),
            ("UNIX.mode=4755", 0o4755),
            ("UNIX.mode=0", 0), ("UNIX.mode=", nil), ("UNIX.mode=8", nil), ("UNIX.mode=rwx", nil),
            ("UNIX.mode=777777777", nil),
        ] as [(String, UInt32?)])
    func modes(fact: String, mode: UInt32?) throws {
        #expect(try #require(FactLine.parse(bytes("type=file;\(fact); a"))).mode == mode)
    }

    @Test(
        arguments: [
            ("20240610101112", utc(2024, 6, 10, 10, 11, 12), .second),
            ("202406101011", utc(2024, 6, 10, 10, 11), .minute),
            ("never", nil, .minute),
        ] as [(String, Timestamp?, ListingEntry.Precision)])
    func times(value: String, time: Timestamp?, precision: ListingEntry.Precision) throws {
        let entry = try #require(FactLine.parse(bytes("type=file;modify=\(value); a")))
        #expect(entry.modified == time)
        if time != nil { #expect(entry.precision == precision) }
    }

    // MARK: MLST

    @Test(arguments: [("/home/a b", "a b"), ("a", "a"), ("./a", "a"), ("/a", "a")])
    func pathsOfMLST(path: String, name: String) {
        #expect(FactLine.parse(bytes(" type=file; " + path), isPath: true)?.name.bytes == bytes(name))
    }

    @Test(arguments: ["/", ".", "/a/", "/a/..", ""])
    func pathsWithoutAName(path: String) {
        #expect(FactLine.parse(bytes(" type=file; " + path), isPath: true) == nil)
    }

    @Test func readsTheReplyToMLST() throws {
        let reply = Reply(code: 250, lines: ["Listing /=x; y", " type=dir;UNIX.mode=0755; /", "End"].map(bytes))
        let line = try #require(FactLine(parsing: reply))
        #expect(line.role == .entry(.directory))
        #expect(line.mode == 0o755)
        #expect(line.pathname == bytes("/"))
        #expect(FactLine(parsing: Reply(code: 550, lines: reply.lines)) == nil)
        #expect(FactLine(parsing: Reply(code: 250, lines: [bytes("type=cdir; x")]))?.role == .currentDirectory)
        #expect(FactLine(parsing: Reply(code: 250, lines: [bytes("done")])) == nil)
    }
}
