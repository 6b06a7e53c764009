import Testing
import Vocabulary

@testable import EmbeddedFTPServer

extension Servers {
    /// Logging in, and everything that needs no data connection.
    @Suite struct Sessions {
        @Test(arguments: [
            ("joe", "secret", 230), ("joe", "wrong", 530), ("anonymous", "me@", 230), ("ftp", "", 230),
            ("root", "", 530),
        ])
        func letsInWhomItKnows(user: String, password: String, code: Int) throws {
            try withServer(change: { $0.users = ["joe": "secret", "anonymous": ""] }) { (server) throws in
                let client = try RawClient(server)
                #expect(try client.reply().code == 220)
                #expect(try client.code("USER \(user)") == 331)
                #expect(try client.code("PASS \(password)") == code)
                #expect(try client.code("PWD") == (code == 230 ? 257 : 530))
            }
        }

        @Test func knowsNoAnonymousUserUnlessTold() throws {
            try withServer(change: { $0.users = ["joe": "secret"] }) { (server) throws in
                let client = try RawClient(server)
                _ = try client.reply()
                #expect(try client.code("USER anonymous") == 331)
                #expect(try client.code("PASS x") == 530)
                #expect(try client.code("PASS secret") == 503, "PASS without USER")
            }
        }

        /// Each command and the code of its reply, in one session, as vsftpd with MFMT would answer.
        @Test(arguments: [
            ("SYST", 215), ("NOOP", 200), ("noop", 200), ("FEAT", 211), ("HELP", 214), ("STAT", 211), ("STAT dir", 213),
            ("ALLO 5", 202), ("OPTS UTF8 ON", 200), ("OPTS NONSENSE", 501), ("CLNT me", 200), ("ACCT x", 202),
            ("TYPE I", 200), ("TYPE A", 200), ("TYPE L 8", 200), ("TYPE E", 504), ("MODE S", 200), ("MODE Z", 504),
            ("STRU F", 200), ("STRU R", 504), ("REST 5", 350), ("REST x", 501), ("REST 99999999999999999999", 501),
            ("PWD", 257), ("CWD dir", 250), ("CWD /dir/sub/../sub", 250), ("CWD dlink", 250), ("CWD a.txt", 550),
            ("CWD none", 550), ("CDUP", 250), ("SIZE a.txt", 213), ("SIZE dir", 550), ("SIZE none", 550),
            ("MDTM a.txt", 213), ("MDTM none", 550), ("MFMT 20200102030405 a.txt", 213), ("MFMT 2020 a.txt", 501),
            ("MLST a.txt", 250), ("MLST", 250), ("MLST none", 550), ("MKD new", 257), ("MKD a.txt", 550),
            ("MKD none/x", 550), ("RMD empty", 250), ("RMD dir", 550), ("RMD a.txt", 550), ("RMD none", 550),
            ("DELE a.txt", 250), ("DELE dir", 550), ("DELE none", 550), ("RNFR none", 550), ("RNTO x", 503),
            ("SITE CHMOD 600 a.txt", 200), ("SITE CHMOD 9 a.txt", 501), ("SITE CHMOD 600 none", 550),
            ("SITE UTIME 202001020304 a.txt", 213), ("SITE SYMLINK a.txt new", 200), ("SITE NONSENSE", 500),
            ("SITE", 501), ("SITE HELP", 214), ("ABOR", 226), ("RETR a.txt", 425), ("LIST", 425), ("RETR", 501),
            ("PASV", 227), ("EPSV", 229), ("EPSV 1", 229), ("EPSV 2", 522), ("EPSV ALL", 200), ("PORT 1,2,3", 500),
            ("PORT 192,0,2,1,10,10", 500), ("EPRT |1|192.0.2.1|4000|", 500), ("EPRT", 501), ("RANG 1 2", 350),
            ("AUTH TLS", 500), ("NONSENSE", 500), ("QUIT", 221),
        ])
        func answers(command: String, code: Int) throws {
            let dialect = Dialect(name: "plain", features: ["SIZE"])
            try withSession(sampleTree(), dialect) { (_, client) throws in
                #expect(try client.code(command) == code)
            }
        }

        @Test func saysNothingButQuitIsAllowedBeforeLogin() throws {
            try withServer { (server) throws in
                for verb in CommandRow.all.keys.sorted()
                where !["USER", "PASS", "QUIT", "FEAT", "OPTS", "CLNT"].contains(verb) {
                    let client = try RawClient(server)
                    _ = try client.reply()
                    let code = try client.code("\(verb) x")
                    #expect(code == 530 || code == 500, "\(verb)")
                }
            }
        }

        @Test func changesWhatIsThere() throws {
            let tree = sampleTree()
            try withSession(tree, Dialect(name: "plain")) { (_, client) throws in
                #expect(try client.command("MKD dir/say \"hi\"").lines == ["257 \"/dir/say \"\"hi\"\"\" created"])
                #expect(tree.kind(of: "dir/say \"hi\"") == .directory)

                #expect(try client.code("MFMT 20200102030405 a.txt") == 213)
                #expect(tree.attributes(of: "a.txt")?.modified == Timestamp(seconds: 1_577_934_245))
                #expect(try client.command("MDTM a.txt").text == "20200102030405")

                #expect(try client.code("SITE CHMOD 4711 a.txt") == 200)
                #expect(tree.attributes(of: "a.txt")?.mode == 0o4711)

                #expect(try client.code("SITE SYMLINK ../a.txt dir/up") == 200)
                #expect(tree.linkTarget(of: "dir/up") == bytes("../a.txt"))
                #expect(try client.command("SIZE dir/up").text == "6")

                #expect(try client.code("RNFR a.txt") == 350)
                #expect(try client.code("NOOP") == 200)
                #expect(try client.code("RNTO dir/b.txt") == 250)
                #expect(tree.contents(of: "dir/b.txt") == bytes("hello\n"))
                #expect(!tree.exists("a.txt"))

                #expect(try client.code("DELE dir/b.txt") == 250)
                #expect(!tree.exists("dir/b.txt"))
                #expect(try client.code("RMD dir/sub") == 250)
                #expect(!tree.exists("dir/sub"))
            }
        }

        @Test(arguments: Dialect.all) func replacesByRenameOrNot(dialect: Dialect) throws {
            let tree = sampleTree()
            try withSession(tree, dialect) { (_, client) throws in
                _ = try client.command("RNFR a.txt")
                let code = try client.code("RNTO with space.txt")

                let refuses = dialect.quirks.contains(.refusesReplacingRename)
                #expect(code == (refuses ? (dialect.name == "IIS" ? 550 : 553) : 250))
                #expect(tree.exists("a.txt") == refuses)
                #expect(tree.contents(of: "with space.txt") == bytes(refuses ? "hi\n" : "hello\n"))
            }
        }

        @Test func refusesChangesWhenReadOnly() throws {
            let tree = sampleTree()
            try withSession(tree, change: { $0.isReadOnly = true }) { (_, client) throws in
                for command in [
                    "DELE a.txt", "MKD x", "RMD empty", "RNFR a.txt", "SITE CHMOD 600 a.txt",
                    "MDTM 20200102030405 a.txt",
                ] { #expect(try client.code(command) == 550, "\(command)") }
                #expect(try client.upload("STOR x", [1]) == [550])
            }
        }

        @Test func choosesFacts() throws {
            try withSession(sampleTree(), .proftpd) { (_, client) throws in
                #expect(try client.command("OPTS MLST type;SIZE;unknown;").text == "MLST OPTS size;type;")
                #expect(
                    try client.command("MLST a.txt").lines
                        == ["250-Start of list for a.txt", " size=6;type=file; /a.txt", "250 End of list"])
                #expect(
                    try client.command("FEAT").lines.first { $0.hasPrefix(" MLST") }
                        == " MLST modify;perm;size*;type*;unique;UNIX.group;UNIX.groupname;UNIX.mode;UNIX.owner;UNIX.ownername;"
                )
            }
        }

        @Test func startsInTheLoginDirectory() throws {
            try withSession(sampleTree(), change: { $0.loginDirectory = bytes("/dir") }) { (_, client) throws in
                #expect(try client.command("PWD").lines == ["257 \"/dir\" is the current directory"])
                #expect(try client.code("CWD ../../../..") == 250)
                #expect(try client.command("PWD").lines == ["257 \"/\" is the current directory"])
            }
        }

        /// What 0xFF becomes: ProFTPD takes two for one, vsftpd sends one as two (measured).
        @Test(arguments: [
            (Dialect.proftpd, [UInt8](arrayLiteral: 0x61, 0xFF), [0x61, 0xFF] as [UInt8]),
            (.vsftpd, [0x61, 0xFF, 0xFF], [0x61, 0xFF, 0xFF, 0xFF, 0xFF]),
            (.pureftpd, [0x61, 0xFF, 0xFF], [0x61, 0xFF, 0xFF]),
        ])
        func handlesTelnetBytesInNames(dialect: Dialect, name: [UInt8], shown: [UInt8]) throws {
            let tree = MemoryTree()
            try withSession(tree, dialect) { (_, client) throws in
                try client.send(bytes("MKD ") + [0x61, 0xFF, 0xFF] + [0x0D, 0x0A])
                let line = try #require(try client.rawLine())
                #expect(tree.names(in: .root) == [name])
                #expect(line.split(separator: UInt8(ascii: "\""))[1].drop { $0 == UInt8(ascii: "/") } == shown[...])
            }
        }

        @Test func speaksIPv6() throws {
            try withServer(sampleTree(), change: { $0.address = "::1" }) { (server) throws in
                let client = try RawClient(server, host: "::1", logsIn: true)
                #expect(try client.code("PASV") == 425)
                #expect(try client.code("EPSV 1") == 522)
                #expect(try client.code("EPRT |1|127.0.0.1|40000|") == 522)
                #expect(try client.code("EPRT |2|::1|40000|") == 200)
                #expect(try client.download("RETR a.txt").bytes == bytes("hello\n"))
            }
        }
    }
}
