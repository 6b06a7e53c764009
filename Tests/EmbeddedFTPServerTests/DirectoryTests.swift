@preconcurrency import Glibc
import SystemPackage
import Testing
import Vocabulary

@testable import EmbeddedFTPServer

extension Servers {
    /// Serving a real directory: what works, and that nothing outside of it can be reached.
    @Suite struct Directories {
        /// A directory `served` with a few things, and beside it a file that nobody may see.
        private func withServedDirectory<Result>(
            _ dialect: Dialect = Dialect(name: "plain"), _ body: (String, RawClient) throws -> Result
        ) throws -> Result {
            try withTemporaryDirectory { (parent) throws in
                let script = """
                    mkdir -p served/dir/sub served/empty; echo secret > secret; echo hello > served/a.txt
                    ln -s a.txt served/link; ln -s dir served/dlink; ln -s ../secret served/out; ln -s / served/root
                    ln -s /proc/self/fd served/magic; ln -s .. served/dir/up; mkfifo served/fifo
                    touch -d '2001-02-03 04:05:06 UTC' served/a.txt
                    """
                #expect(try run(["sh", "-c", "cd \(parent) && \(script)"]).status == 0)
                let path = FilePath(parent).appending("served")
                let server = try EmbeddedFTPServer(.init(storage: .directory(path), dialect: dialect))
                defer { server.stop() }
                try server.start()
                return try body(path.string, RawClient(server, logsIn: true))
            }
        }

        @Test func doesWhatIsAsked() throws {
            try withServedDirectory { (path, client) throws in
                #expect(try client.download("RETR a.txt").bytes == bytes("hello\n"))
                #expect(try client.download("RETR link").bytes == bytes("hello\n"))
                #expect(try client.download("NLST dlink").lines == ["sub", "up"])
                #expect(try client.command("MDTM a.txt").text == "20010203040506")
                #expect(try client.upload("STOR new \u{e9}", bytes("12345")) == [150, 226])
                #expect(try client.upload("APPE new \u{e9}", bytes("678")) == [150, 226])
                #expect(try client.code("REST 2") == 350)
                #expect(try client.upload("STOR new \u{e9}", bytes("xx")) == [150, 226])
                #expect(try run(["cat", "\(path)/new \u{e9}"]).output == "12xx5678")
                #expect(try client.code("MFMT 20100102030405 new \u{e9}") == 213)
                #expect(try client.code("SITE CHMOD 640 new \u{e9}") == 200)
                #expect(try run(["stat", "-c", "%Y %a", "\(path)/new \u{e9}"]).output == "1262401445 640\n")
                #expect(try client.code("SITE SYMLINK dir new-link") == 200)
                #expect(try run(["readlink", "\(path)/new-link"]).output == "dir\n")
                #expect(try client.code("MKD made") == 257)
                #expect(try client.code("RNFR made") == 350)
                #expect(try client.code("RNTO dir/moved") == 250)
                #expect(try client.code("RMD dir/moved") == 250)
                #expect(try client.code("DELE new-link") == 250)
                #expect(try run(["ls", path]).output.contains("dir"), "the link is gone, not what it pointed to")
                let link = try #require(try client.download("LIST").lines.first { $0.contains(" link") })
                #expect(link.hasSuffix(" link -> a.txt"))
            }
        }

        @Test(arguments: [
            "SIZE a.txt/x", "SIZE none", "RMD dir", "RMD a.txt", "RMD none", "RMD /", "DELE dir", "DELE /", "MKD dir",
            "MKD /", "RNFR none", "SITE CHMOD 600 none", "CWD a.txt",
        ])
        func refuses(command: String) throws {
            try withServedDirectory { (_, client) throws in #expect(try client.code(command) == 550) }
        }

        @Test func replacesByRenameOnlyWhereTheDialectDoes() throws {
            try withServedDirectory(.iis) { (path, client) throws in
                _ = try client.command("RNFR a.txt")
                #expect(try client.code("RNTO link") == 550)
            }
            try withServedDirectory(.vsftpd) { (path, client) throws in
                _ = try client.command("RNFR a.txt")
                #expect(try client.code("RNTO link") == 250)
                #expect(try run(["cat", "\(path)/link"]).output == "hello\n")
            }
        }

        /// Ways out: links that lead outside, absolute ones, links of /proc, and `..`.
        @Test(arguments: [
            "SIZE out", "CWD root", "SIZE root/etc/passwd", "MDTM out", "MLST out", "CWD magic",
            "SITE CHMOD 777 out", "MFMT 20010203040506 out", "MKD root/tmp/x", "RNFR dir/up/../../secret",
            "DELE dlink/up/../../secret", "SIZE ../secret", "SIZE dir/../../secret", "SIZE fifo",
        ])
        func letsNobodyOut(command: String) throws {
            try withServedDirectory { (path, client) throws in
                #expect(try client.code(command) == 550)
                #expect(try run(["stat", "-c", "%a", "\(path)/../secret"]).output.hasSuffix("4\n"))
            }
        }

        @Test(arguments: ["RETR out", "RETR root/etc/passwd", "RETR fifo", "LIST root", "MLSD root/etc", "NLST magic"])
        func sendsNothingFromOutside(command: String) throws {
            try withServedDirectory { (_, client) throws in #expect(try client.download(command).codes == [550]) }
        }

        @Test func writesNothingOutside() throws {
            try withServedDirectory { (path, client) throws in
                for command in ["STOR out", "APPE out", "STOR root/tmp/x", "STOR fifo"] {
                    #expect(try client.upload(command, bytes("bad")) == [550], "\(command)")
                }
                _ = try client.command("RNFR a.txt")
                #expect(try client.code("RNTO root/tmp/ftpfs-escaped") == 550)
                #expect(try client.upload("STOR ../inside", bytes("good")) == [150, 226])
                #expect(try run(["sh", "-c", "cat \(path)/../secret \(path)/inside"]).output == "secret\ngood")
            }
        }

        @Test func writesNamesOfAnyBytes() throws {
            try withServedDirectory { (_, client) throws in
                try client.send(bytes("MKD empty/") + [0x61, 0xFF, 0x80, 0x0D, 0x0A])
                #expect(try client.rawLine()?.starts(with: bytes("257")) == true)
                #expect(try client.download("NLST empty").bytes == [0x61, 0xFF, 0x80, 0x0D, 0x0A])
                try client.send(bytes("MKD a") + [0x00, 0x62, 0x0D, 0x0A])
                #expect(try client.reply().code == 550)
            }
        }
    }
}
