import FTPClient
import Testing
import Vocabulary

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Who logs in, and with what.
@Suite("The credentials")
struct CredentialTests {
    /// A search whose surroundings are all empty but for what a test puts in.
    private final class Given {
        var variables: [String: String] = [:]
        var standardInput: String?
        var typed: String?
        var netrc: String?
        var prompts: [String] = []
        var warnings: [String] = []

        func search(_ url: String, _ options: String = "") throws -> Credentials {
            var search = CredentialSearch(
                address: try ServerAddress(parsing: url),
                options: try MountOptions(parsing: [Array(options.utf8)]).credentials,
                surroundings: CredentialSearch.Surroundings(
                    takeVariable: { self.variables.removeValue(forKey: $0).map { Array($0.utf8) } },
                    readLine: { $0 == 0 ? self.standardInput.map { Array($0.utf8) } : nil },
                    standardNetrc: netrc,
                    ask: { prompt throws(MountFailure) in
                        self.prompts.append(prompt)
                        return self.typed.map { Secret($0) }
                    },
                    warn: { self.warnings.append($0) }))
            return try search.run()
        }
    }

    private func expect(_ credentials: Credentials, _ user: String, _ password: String) {
        #expect(printable(credentials.user) == user)
        #expect(printable(credentials.password.bytes) == password)
    }

    @Test("of nobody are those of the public")
    func anonymous() throws {
        expect(try Given().search("ftp://h/"), "anonymous", "ftpfs@localhost")
        expect(try Given().search("ftp://ftp@h/"), "ftp", "ftpfs@localhost")
    }

    @Test("come from the first source that has a password")
    func order() throws {
        try withTemporaryDirectory { directory in
            let given = Given()
            let file = try directory.write("c", "username=me\npassword=file\n", mode: 0o600)
            given.netrc = try directory.write("n", "machine h login me password netrc", mode: 0o600)
            given.typed = "typed"
            given.standardInput = "stdin"
            func search(_ url: String, _ options: String) throws -> Credentials {
                given.variables = ["FTPFS_PASSWORD": "environment"]
                return try given.search(url, options)
            }
            let all = "password=option,credentials=\(file),password_stdin"

            expect(try search("ftp://me:url@h/", all), "me", "url")
            expect(try search("ftp://me@h/", all), "me", "option")
            expect(try search("ftp://me@h/", "credentials=\(file),password_stdin"), "me", "file")
            expect(try search("ftp://me@h/", "password_stdin"), "me", "stdin")
            expect(try search("ftp://me@h/", ""), "me", "environment")
            expect(try given.search("ftp://me@h/", ""), "me", "netrc")
            expect(try given.search("ftp://me@h/", "netrc=no"), "me", "typed")
            #expect(given.prompts == ["Password for me at h: "])
        }
    }

    @Test("leave the environment, also when they are not needed from there")
    func environmentIsCleared() throws {
        let given = Given()
        given.variables = ["FTPFS_PASSWORD": "a", "PASSWD": "b", "PASSWD_FD": "7", "HOME": "/"]

        _ = try given.search("ftp://me:pw@h/")

        #expect(given.variables == ["HOME": "/"])
    }

    @Test("of a file that names another user are passed over")
    func foreignEntries() throws {
        try withTemporaryDirectory { directory in
            let given = Given()
            let file = try directory.write("c", "username=other\npassword=file\n", mode: 0o600)
            given.netrc = try directory.write("n", "machine h login other password netrc", mode: 0o600)
            given.typed = "typed"

            expect(try given.search("ftp://me@h/", "credentials=\(file)"), "me", "typed")
        }
    }

    @Test("give the user's name too, where the URL has none")
    func userFromFile() throws {
        try withTemporaryDirectory { directory in
            let given = Given()
            let file = try directory.write("c", "username=me\npassword=a,b=\"c \n", mode: 0o600)
            expect(try given.search("ftp://h/", "credentials=\(file)"), "me", "a,b=\"c ")

            given.netrc = try directory.write("n", "machine h login you password pw", mode: 0o600)
            expect(try given.search("ftp://h/"), "you", "pw")
            expect(try given.search("ftp://h/", "user=she:p:q"), "she", "p:q")
        }
    }

    @Test("that are missing are an error with the remedies, not a question to nobody")
    func nobodyToAsk() {
        #expect {
            _ = try Given().search("ftp://me@h/")
        } throws: {
            let failure = $0 as? MountFailure
            return failure?.code == .usage && failure?.message.contains("credentials=FILE") == true
        }
    }

    @Test("need a name beside a password")
    func passwordAlone() {
        #expect(throws: MountFailure.self) { try Given().search("ftp://h/", "password=x") }
    }

    @Test(
        "in a file that others can use, or that is none, are refused",
        arguments: [(0o640, "chmod 600"), (0o604, "chmod 600"), (0o620, "chmod 600")])
    func openFile(mode: Int, reason: String) throws {
        try withTemporaryDirectory { directory in
            let given = Given()
            let path = try directory.write("c", "username=me\npassword=pw\n", mode: UInt32(mode))
            for options in ["credentials=\(path)", "netrc=\(path)"] {
                #expect {
                    _ = try given.search("ftp://h/", options)
                } throws: {
                    let failure = $0 as? MountFailure
                    return failure?.code == .usage && failure?.message.contains(reason) == true
                        && failure?.message.contains(path) == true
                }
            }
            // The file that nobody named is passed over, with a word about it.
            given.netrc = path
            expect(try given.search("ftp://h/"), "anonymous", "ftpfs@localhost")
            #expect(given.warnings.count == 1 && given.warnings.first?.contains("chmod 600") == true)
        }
    }

    @Test("in a file that is missing or a directory are an error if it was named, else nothing")
    func missingFile() throws {
        try withTemporaryDirectory { directory in
            let given = Given()
            given.netrc = directory.path + "/none"
            expect(try given.search("ftp://h/"), "anonymous", "ftpfs@localhost")
            #expect(given.warnings.isEmpty)
            for options in [
                "credentials=\(directory.path)/none", "netrc=\(directory.path)/none", "credentials=\(directory.path)",
            ] {
                #expect(throws: MountFailure.self) { try given.search("ftp://h/", options) }
            }
        }
    }

    @Test("files with a line of another form are refused by its number, not its text")
    func badLine() throws {
        try withTemporaryDirectory { directory in
            let path = try directory.write("c", "# comment\n\n username=me\nhunter2\n", mode: 0o600)
            #expect {
                _ = try Given().search("ftp://h/", "credentials=\(path)")
            } throws: {
                let message = ($0 as? MountFailure)?.message ?? "hunter2"
                return message.contains("line 4") && !message.contains("hunter2")
            }
        }
    }

    struct NetrcRow: CustomTestStringConvertible, Sendable {
        let text: String
        var host = "h"
        var user: String?
        let expected: [String?]?
        var testDescription: String { text }
    }

    @Test(
        "are found in a netrc file",
        arguments: [
            NetrcRow(text: "machine h login u password p", expected: ["u", "p"]),
            NetrcRow(text: "machine\n\th\nlogin\nu\npassword p\n", expected: ["u", "p"]),
            NetrcRow(text: "machine H login u password p", expected: ["u", "p"]),
            NetrcRow(text: "machine x login a password b\nmachine h login u password p", expected: ["u", "p"]),
            NetrcRow(
                text: "machine h login a password b machine h login u password p", user: "u", expected: ["u", "p"]),
            NetrcRow(text: "machine h password p", user: "u", expected: [nil, "p"]),
            NetrcRow(text: "machine h login a password b", user: "u", expected: nil),
            NetrcRow(text: "machine x login a password b", expected: nil),
            NetrcRow(text: "machine x login a default login u password p", expected: ["u", "p"]),
            NetrcRow(text: "default login a password b machine h login u password p", expected: ["a", "b"]),
            NetrcRow(text: "machine h login u account acc password p", expected: ["u", "p"]),
            NetrcRow(
                text: "macdef init\nmachine h login a password b\n\nmachine h login u password p", expected: ["u", "p"]),
            NetrcRow(text: "# machine h login a password b\nmachine h login u password p#q", expected: ["u", "p#q"]),
            NetrcRow(text: #"machine h login "u v" password "p\"q\\""#, expected: ["u v", #"p"q\"#]),
            NetrcRow(text: "machine h login", expected: [nil, nil]),
            NetrcRow(text: "machine", expected: nil),
            NetrcRow(text: "", expected: nil),
        ])
    func netrc(_ row: NetrcRow) {
        let entry = Netrc.entry(forHost: row.host, user: row.user.map { Array($0.utf8) }, in: Array(row.text.utf8))

        #expect((entry == nil) == (row.expected == nil))
        guard let entry, let expected = row.expected else { return }
        #expect(entry.user.map { printable($0) } == expected[0])
        #expect(entry.password.map { printable($0.bytes) } == expected[1])
    }

    @Test("are typed with the usual keys")
    func typing() {
        func typed(_ text: String) -> String? {
            var line = SecretLine()
            for byte in text.utf8 {
                switch line.take(byte) {
                case .more: continue
                case .done(let secret): return printable(secret.bytes)
                case .cancelled: return nil
                }
            }
            return "?"
        }
        #expect(typed("abc\r") == "abc")
        #expect(typed("abx\u{7F}c\n") == "abc")
        #expect(typed("a\u{E9}\u{7F}b\n") == "ab")
        #expect(typed("\u{8}\u{8}a\n") == "a")
        #expect(typed("wrong\u{15}right\n") == "right")
        #expect(typed("abc\u{3}") == nil)
    }
}
