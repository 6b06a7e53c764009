import Testing
import Vocabulary

@testable import EmbeddedFTPServer

extension Servers {
    /// What LIST, NLST and MLSD send in each dialect.
    @Suite struct Listings {
        /// The lines of one old file, one directory and one link; the widths are those that were measured.
        @Test(arguments: [
            (
                Dialect.vsftpd,
                [
                    "-rw-r--r--    1 0        0               6 Jan 02  2020 a.txt",
                    "-rw-------    1 0        0               3 Feb 03  2001 with space.txt",
                    "drwxr-xr-x    2 0        0            4096 Feb 29  2024 dir",
                    "lrwxrwxrwx    1 0        0               5 Feb 29  2024 link -> a.txt",
                ]
            ),
            (
                .proftpd,
                [
                    "-rw-r--r--   1 ftp      ftp             6 Jan  2  2020 a.txt",
                    "-rw-------   1 ftp      ftp             3 Feb  3  2001 with space.txt",
                    "drwxr-xr-x   2 ftp      ftp          4096 Feb 29  2024 dir",
                    "lrwxrwxrwx   1 ftp      ftp             5 Feb 29  2024 link -> a.txt",
                ]
            ),
            (
                .pureftpd,
                [
                    "-rw-r--r--    1 0          0                   6 Jan  2  2020 a.txt",
                    "-rw-------    1 0          0                   3 Feb  3  2001 with space.txt",
                    "drwxr-xr-x    2 0          0                4096 Feb 29  2024 dir",
                    "lrwxrwxrwx    1 0          0                   5 Feb 29  2024 link -> a.txt",
                ]
            ),
            (
                .iis,
                [
                    "01-02-20  03:04AM                    6 a.txt",
                    "02-03-01  04:05AM                    3 with space.txt",
                    "02-29-24  12:34PM       <DIR>          dir",
                    "02-29-24  12:34PM                    5 link",
                ]
            ),
            (
                .filezilla,
                [
                    "-rw-r--r-- 1 ftp ftp               6 Jan 02  2020 a.txt",
                    "-rw------- 1 ftp ftp               3 Feb 03  2001 with space.txt",
                    "drwxr-xr-x 2 ftp ftp            4096 Feb 29  2024 dir",
                    "lrwxrwxrwx 1 ftp ftp               5 Feb 29  2024 link -> a.txt",
                ]
            ),
        ])
        func looksLikeTheProduct(dialect: Dialect, lines: [String]) throws {
            try withSession(sampleTree(), dialect) { (_, client) throws in
                let listing = try client.download("LIST")
                #expect(listing.codes == [dialect.saying(.openingForList).code, 226].map { Int($0) })
                for line in lines { #expect(listing.lines.contains(line), "\(line)\nin\n\(listing.lines)") }
            }
        }

        @Test func showsTheTimeOfDayOfWhatIsYoung() throws {
            let tree = MemoryTree()
            let young = Timestamp(seconds: currentTime().seconds - 3600)
            tree.add("young", text: "", modified: young)
            try withSession(tree) { (_, client) throws in
                let time = CivilTime(young)
                let expected = "\(padded(time.hour, 2)):\(padded(time.minute, 2)) young"
                #expect(try client.download("LIST").lines.first?.hasSuffix(expected) == true)
            }
        }

        @Test(arguments: [
            ("", ["a.txt", "with space.txt", "dir", "empty", "link", "dlink"]),
            ("-a", [".", "..", "a.txt", "with space.txt", "dir", "empty", "link", "dlink", ".hidden"]),
            ("-la dir", [".", "..", "sub"]),
            ("dir", ["sub"]), ("/dir/", ["sub"]), ("dlink", ["sub"]), ("empty", []), ("none", []),
            ("a.txt", ["a.txt"]), ("with space.txt", ["with space.txt"]), ("*.txt", ["a.txt", "with space.txt"]),
            ("d*", ["dir", "dlink"]), ("?.t[w-y]t", ["a.txt"]), ("[!a]*.txt", ["with space.txt"]),
        ])
        func understandsItsArgument(argument: String, names: [String]) throws {
            try withSession(sampleTree()) { (_, client) throws in
                let lines = try client.download(argument.isEmpty ? "LIST" : "LIST \(argument)").lines
                #expect(lines.count == names.count)
                for name in names {
                    #expect(lines.contains { $0.hasSuffix(" \(name)") || $0.contains(" \(name) -> ") }, "\(name)")
                }
            }
        }

        /// Where the products differ in what they make of an argument.
        @Test(arguments: [
            (Dialect.proftpd, "LIST dlink", ["dlink -> dir"]),
            (.pureftpd, "LIST dlink", ["sub"]),
            (.pureftpd, "LIST with space.txt", []),
            (.pureftpd, "NLST dir", ["dir/.", "dir/..", "dir/sub"]),
            (
                .filezilla, "LIST",
                ["a.txt", "with space.txt", "dir", "empty", "link -> a.txt", "dlink -> dir", ".hidden"]
            ),
            (.minimal, "LIST dir", ["sub"]),
        ])
        func differsByProduct(dialect: Dialect, command: String, endings: [String]) throws {
            try withSession(sampleTree(), dialect) { (_, client) throws in
                let lines = try client.passiveDownload(command).lines
                #expect(lines.count == endings.count)
                for (line, ending) in zip(lines, endings) { #expect(line.hasSuffix(ending)) }
            }
        }

        @Test(arguments: [
            (Dialect.vsftpd, "LIST none", [150, 226]), (.proftpd, "LIST none", [150, 450]),
            (.pureftpd, "LIST none", [150, 226]), (.iis, "LIST none", [550]), (.minimal, "LIST none", [550]),
            (.vsftpd, "NLST none", [150, 226]), (.proftpd, "NLST none", [450]), (.pureftpd, "NLST none", [550]),
            (.pureftpd, "NLST *.txt", [550]), (.pureftpd, "NLST with space.txt", [150, 226]),
            (.proftpd, "MLSD none", [550]), (.pureftpd, "MLSD a.txt", [550]),
        ])
        func saysWhatItDoesNotFind(dialect: Dialect, command: String, codes: [Int]) throws {
            try withSession(sampleTree(), dialect) { (_, client) throws in
                #expect(try client.passiveDownload(command).codes == codes)
            }
        }

        @Test(arguments: [
            (
                Dialect.proftpd,
                [
                    "modify=20200102030405;perm=adfrw;size=6;type=file;unique=*;UNIX.group=0;UNIX.groupname=ftp;"
                        + "UNIX.mode=0644;UNIX.owner=0;UNIX.ownername=ftp; a.txt",
                    "type=OS.unix=symlink;", "type=cdir;", "type=pdir;",
                ]
            ),
            (
                .pureftpd,
                [
                    "type=file;size=6;modify=20200102030405;UNIX.mode=0644;UNIX.uid=0;UNIX.gid=0;unique=*; a.txt",
                    "type=OS.unix=slink:;", "type=dir;sizd=4096;", "type=cdir;sizd=4096;",
                ]
            ),
            (.filezilla, ["type=file;size=6;modify=20200102030405;perm=adfrw; a.txt"]),
            (Dialect(name: "plain"), ["type=OS.unix=slink:a.txt;size=5;modify=20240229123456; link"]),
        ])
        func listsForMachines(dialect: Dialect, parts: [String]) throws {
            try withSession(sampleTree(), dialect) { (_, client) throws in
                let listing = try client.download("MLSD")
                #expect(listing.codes == [150, 226])
                for part in parts {
                    // A star stands for what differs from run to run.
                    let pieces = part.split(separator: "*").map { String($0) }
                    #expect(
                        listing.lines.contains { line in pieces.allSatisfy { line.contains($0) } },
                        "\(part)\nin\n\(listing.lines.joined(separator: "\n"))")
                }
                #expect(
                    listing.lines.contains { $0.hasSuffix(" .") }
                        == !dialect.quirks.contains(.hidesDotInMachineListing))
            }
        }

        @Test func sendsNamesAsTheyAre() throws {
            let tree = MemoryTree()
            let names: [[UInt8]] = [[0x61, 0xFF, 0x62], [0x0A], bytes("a;b=c"), bytes(" lead"), bytes("ünï")]
            for name in names { tree.add(ServerPath(components: [name]), text: "") }
            try withSession(tree, Dialect(name: "plain")) { (_, client) throws in
                let listed = try client.download("NLST").bytes
                #expect(listed == names.flatMap { $0 + [0x0D, 0x0A] })
            }
        }

        @Test func listsAHundredThousandEntries() throws {
            let tree = MemoryTree()
            tree.addMany(100_000, in: "many")
            try withSession(tree, .proftpd) { (_, client) throws in
                #expect(try client.download("NLST many").lines.count == 100_000)
                #expect(try client.download("LIST many").lines.count == 100_000)
            }
        }

        @Test(arguments: [
            (Dialect.Quirks.ignoresListArgument, "LIST dir", 6), (.refusesEmptyListing, "LIST empty", 0),
            (.listsTotal, "LIST dir", 2),
        ])
        func hasQuirksOnRequest(quirk: Dialect.Quirks, command: String, lines: Int) throws {
            var dialect = Dialect.vsftpd
            dialect.quirks.insert(quirk)
            try withSession(sampleTree(), dialect) { (_, client) throws in
                #expect(try client.download(command).lines.count == lines)
            }
        }
    }
}

extension RawClient {
    /// ``download(_:)`` with PASV, for dialects without EPSV.
    func passiveDownload(_ line: String) throws -> Download {
        let numbers = try command("PASV").text.drop { $0 != "(" }.dropFirst().prefix { $0 != ")" }
            .split(separator: ",").compactMap { UInt16($0) }
        guard numbers.count == 6 else { throw Failure(what: "PASV") }
        let data = try Self.connect("127.0.0.1", numbers[4] << 8 | numbers[5])
        defer { Self.close(data) }
        var result = Download()
        result.replies.append(try command(line))
        guard result.codes[0] < 200 else { return result }
        (result.bytes, result.error) = Self.readAll(data)
        result.replies.append(try reply())
        return result
    }
}
