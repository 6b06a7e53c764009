import EmbeddedFTPServer
import SystemPackage
import Testing
import Threading

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Every message of the way to a mount: what was wrong, the line that is printed, and the exit code, of the real program.
@Suite("The messages of the mount command", .serialized, .timeLimit(.minutes(5)))
struct MountMessageTests {
    struct Row: Sendable, CustomTestStringConvertible {
        /// What was wrong.
        let testDescription: String
        var url = "ftp://h/"
        var options = ""
        /// In place of the empty directory.
        var mountPoint = "$DIR/mnt"
        /// Behind `ftpfs: `. `$DIR` stands for the test's directory, `$CLOSED`, `$SILENT`, `$SSH` and `$FTP` for ports.
        let line: String
        let code: ExitCode

        init(
            _ description: String, _ url: String = "ftp://h/", options: String = "", on mountPoint: String = "$DIR/mnt",
            _ code: ExitCode, _ line: String
        ) {
            testDescription = description
            self.url = url
            self.options = options
            self.mountPoint = mountPoint
            self.line = line
            self.code = code
        }
    }

    static let source = [
        Row("no URL", "host:/dir", .usage, "the server is not a URL; write ftp://HOST/DIRECTORY"),
        Row(
            "another protocol", "http://h/", .usage,
            "the URL does not begin with ftp://; write ftp://HOST/DIRECTORY, or ftpes:// or ftps:// for TLS"),
        Row("no host", "ftp:///dir", .usage, "the URL names no host; write ftp://HOST/DIRECTORY"),
        Row("an empty user", "ftp://@h/", .usage, "the user name before @ is empty"),
        Row(
            "a wrong escape", "ftp://h/%zz", .usage,
            "the path holds a % that is not followed by two hexadecimal digits; write % as %25"),
        Row("a step up", "ftp://h/a/../b", .usage, "the path holds . or ..; write the path without them"),
        Row(
            "two slashes", "ftp://h//a", .usage,
            "the path begins with //; write an absolute path as ftp://HOST/%2FDIRECTORY"
        ),
    ]

    static let options = [
        Row(
            "an unknown option", options: "conections=2", .usage, "unknown option conections; did you mean connections?"
        ),
        Row("an option far from all", options: "xyzzyplugh", .usage, "unknown option xyzzyplugh; see ftpfs --help"),
        Row(
            "a value out of its range", options: "connections=0", .usage,
            "option connections: the value '0' must be a whole number of 1 to 64"),
        Row("a missing value", options: "uid", .usage, "option uid needs a value; write uid=USER"),
        Row("a value too many", options: "ro=1", .usage, "option ro takes no value"),
        Row(
            "a word of curlftpfs that cannot be", options: "sslv3", .usage,
            "the option sslv3 cannot be used: SSL 3 is broken; TLS 1.2 or later is used without a word, where TLS is asked for"
        ),
        Row(
            "two kinds of TLS", "ftps://h/", options: "tls=explicit", .usage,
            "ftps:// stands for tls=implicit, which contradicts tls=explicit; write ftp:// with the option, or leave the option out"
        ),
        Row(
            "a remount of nothing", options: "remount,ro", .usage,
            "$DIR/mnt cannot be remounted, because no ftpfs is mounted there"),
    ]

    static let places = [
        Row(
            "a mount point that is not there", on: "$DIR/none", .usage,
            "mount point $DIR/none does not exist; make it with mkdir $DIR/none"),
        Row(
            "a mount point that is a file", on: "$DIR/file", .usage,
            "mount point $DIR/file is not a directory; choose a directory"),
        Row(
            "a mount point with something in it", on: "$DIR", .usage,
            "mount point $DIR is not empty; choose an empty directory, or give -o nonempty"),
        Row(
            "a place that is mounted", on: "/proc", .usage,
            "/proc is a mount point already (proc); unmount it first with umount /proc"),
        Row(
            "a log file that cannot be", "ftp://127.0.0.1:$CLOSED/", options: "log_file=/none/log", .system,
            "127.0.0.1:$CLOSED: log file /none/log cannot be written: No such file or directory"),
    ]

    static let passwords = [
        Row(
            "no credentials file", options: "credentials=$DIR/none", .usage,
            "h: credentials file $DIR/none does not exist"),
        Row(
            "an open credentials file", options: "credentials=$DIR/open", .usage,
            "h: credentials file $DIR/open can be used by other users; run chmod 600 on it"),
        Row(
            "a credentials file that is none", options: "credentials=$DIR/file", .usage,
            "h: credentials file $DIR/file: line 1 is not username=NAME or password=PASSWORD"),
        Row(
            "an open password file", "ftp://me@h/", options: "password_file=$DIR/open", .usage,
            "h: password file $DIR/open can be used by other users; run chmod 600 on it"),
        Row("no netrc file", options: "netrc=$DIR/none", .usage, "h: netrc file $DIR/none does not exist"),
        Row(
            "no password", "ftp://me@h/", .usage,
            "h: no password for the user me; give -o credentials=FILE, or put it into ~/.netrc, or run it on a terminal"
        ),
        Row(
            "a password for nobody", options: "password=x", .usage,
            "h: a password, but no user name; give -o username=NAME"),
        Row(
            "nothing on standard input", "ftp://me@h/", options: "password_stdin", .usage,
            "h: password_stdin: there is no line on standard input"),
    ]

    static let servers = [
        Row(
            "a closed port", "ftp://127.0.0.1:$CLOSED/", .mountFailed, "127.0.0.1:$CLOSED: .*refused.*"),
        Row(
            "a silent server", "ftp://127.0.0.1:$SILENT/", options: "connect_timeout=1", .mountFailed,
            "127.0.0.1:$SILENT: .*in time.*"),
        Row(
            "another protocol there", "ftp://127.0.0.1:$SSH/", .mountFailed, "127.0.0.1:$SSH: .*is not an FTP server.*"),
        Row(
            "a wrong password", "ftp://me:hunter2@127.0.0.1:$FTP/", .mountFailed,
            "127.0.0.1:$FTP: the server refused the login: 530.*; check the user name and the password"),
        Row(
            "no such directory", "ftp://127.0.0.1:$FTP/none", .mountFailed, "127.0.0.1:$FTP: .*none cannot be entered.*"
        ),
        Row("an unknown host", "ftp://no-such-host.invalid/", .mountFailed, "no-such-host.invalid: .+"),
        Row(
            "a server without TLS", "ftpes://127.0.0.1:$FTP/", .mountFailed, "127.0.0.1:$FTP: .*(TLS|encrypt).*"),
    ]

    @Test("are one line with the cause and the remedy", arguments: source + options + places + passwords + servers)
    func message(_ row: Row) throws {
        let closed = try Peer(.refuses)
        let silent = try Peer(.isSilent)
        let ssh = try Peer(.says("SSH-2.0-OpenSSH_9.2\r\n"))
        let server = try EmbeddedFTPServer(
            .init(storage: .memory(MemoryTree()), users: ["me": "right", "anonymous": ""]))
        try server.start()
        defer { server.stop() }
        try withTemporaryDirectory { directory in
            #expect(mkdir(directory.path + "/mnt", 0o700) == 0)
            _ = try directory.write("file", "nothing\n", mode: 0o600)
            _ = try directory.write("open", "username=me\npassword=hunter2\n", mode: 0o644)
            func filled(_ text: String) -> String {
                [
                    "$DIR": directory.path, "$CLOSED": "\(closed.port)", "$SILENT": "\(silent.port)",
                    "$SSH": "\(ssh.port)",
                    "$FTP": "\(server.port)",
                ].reduce(text) { $0.replacing($1.key, with: $1.value) }
            }
            let outcome = try Program.run([
                filled(row.url), filled(row.mountPoint), "-o",
                "spool_dir=\(directory.path)/spool" + (row.options.isEmpty ? "" : ",") + filled(row.options),
            ])

            #expect(outcome.status == row.code.rawValue, "\(outcome.standardError)")
            let line = outcome.standardError.hasSuffix("\n") ? String(outcome.standardError.dropLast()) : "no line end"
            let expected = "ftpfs: " + filled(row.line)
            // The server's own words are not ours: those rows have a pattern.
            let isPattern = row.line.contains(".*") || row.line.contains(".+")
            #expect(isPattern ? try line.wholeMatch(of: Regex(expected)) != nil : line == expected, "\(line)")
            #expect(!outcome.standardError.contains("hunter2") && !outcome.leftProcesses)
        }
    }
}
