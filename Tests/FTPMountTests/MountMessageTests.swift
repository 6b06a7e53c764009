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
        /// Behind `ftpfs: `. `$DIR` stands for the test's directory, `$CLOSED`, `$SILENT`, `$SSH`, `$FTP`, `$TLS` and `$FULL` for ports.
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
        Row(
            "a value that is no number", options: "dir_ttl=soon", .usage,
            "option dir_ttl: the value 'soon' must be a number of seconds of 0 to 86400"),
        Row(
            "a word that is not among those", options: "tls=maybe", .usage,
            "option tls: the value 'maybe' must be one of off, auto, explicit, implicit"),
        Row(
            "a user that is not there", options: "uid=nobody-of-that-name", .usage,
            "option uid: the value 'nobody-of-that-name' must be a user's name or number"),
        Row(
            "permission bits in decimal", options: "file_mode=999", .usage,
            "option file_mode: the value '999' must be an octal number of 0 to 777"),
        Row(
            "a character set that is not there", options: "charset=nope", .usage,
            "option charset: the value 'nope' must be a character set that contains ASCII and that this machine knows: .*"
        ),
        Row(
            "a time zone that is not there", options: "timezone=Mars/X", .usage,
            "option timezone: the value 'Mars/X' must be auto, UTC, an offset \\(\\+05:45\\), or a zone of .*"),
        Row(
            "a pin that is none", options: "tls_pin=zz", .usage,
            "option tls_pin: the value 'zz' must be sha256: and the hash value of the server's public key, in "
                + "hexadecimal or Base64"),
        Row(
            "a proxy of another kind, with its password not shown", options: "proxy=ftp://me:hunter2@p", .usage,
            "option proxy: the value must be [http://][USER:PASSWORD@]HOST:PORT or "
                + "socks5://[USER:PASSWORD@]HOST[:PORT], / : @ % in user and password written as %2F %3A %40 %25"),
        Row(
            "a login at no proxy", options: "proxy_user=me:hunter2", .usage,
            "proxy_user= without a proxy; give proxy= too"),
        Row(
            "a proxy and active mode", options: "proxy=p:1,active", .usage,
            "active mode does not work through a proxy: the server could not reach this machine; leave out data=active, "
                + "or proxy="),
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

    static let spools = [
        Row(
            "a spool directory that cannot be made", "ftp://127.0.0.1:$CLOSED/", options: "spool_dir=/proc/none",
            .system,
            "127.0.0.1:$CLOSED: spool directory /proc/none cannot be made: No such file or directory; "
                + "give -o spool_dir=DIRECTORY that you can write to"),
        Row(
            "a spool directory that is a file", "ftp://127.0.0.1:$CLOSED/", options: "spool_dir=$DIR/file", .system,
            "127.0.0.1:$CLOSED: spool directory $DIR/file cannot be made: Not a directory; "
                + "give -o spool_dir=DIRECTORY that you can write to"),
        Row(
            "a spool directory that others can write to", "ftp://127.0.0.1:$CLOSED/", options: "spool_dir=$DIR/common",
            .system,
            "127.0.0.1:$CLOSED: spool directory $DIR/common can be changed by other users; "
                + "run chmod 700 on it, or give -o spool_dir=DIRECTORY"),
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
        Row(
            "a file in place of a directory", "ftp://127.0.0.1:$FTP/file", .mountFailed,
            "127.0.0.1:$FTP: .*file cannot be entered.*"),
        Row(
            "a certificate that nobody vouches for", "ftpes://127.0.0.1:$TLS/", .mountFailed,
            "127.0.0.1:$TLS: the server's certificate is signed by itself, so nobody vouches for it; "
                + "if you are sure that it is the right server, mount with tls_pin=sha256:[0-9a-f]{64}.*"),
        Row(
            "another key than the pinned one", "ftpes://127.0.0.1:$TLS/",
            options: "tls_pin=sha256:" + String(repeating: "0", count: 64), .mountFailed,
            "127.0.0.1:$TLS: the server's key is not the one of tls_pin=; somebody may sit in between; .*"),
        Row(
            "no file with authorities", "ftpes://127.0.0.1:$TLS/", options: "tls_ca=/none", .usage,
            "127.0.0.1:$TLS: tls_ca=/none cannot be read: No such file or directory"),
        Row(
            "no file with a key", "ftpes://127.0.0.1:$TLS/", options: "tls_cert=/none", .usage,
            "127.0.0.1:$TLS: the file /none of the TLS key does not exist"),
        Row(
            "a server that wants TLS", "ftp://me:right@127.0.0.1:$TLS/", options: "tls=off", .mountFailed,
            "127.0.0.1:$TLS: the server refused the login: 530 Non-anonymous sessions must use encryption.; "
                + "mount with tls=explicit"),
        Row(
            "a server that is full", "ftp://127.0.0.1:$FULL/", options: "connect_timeout=3", .mountFailed,
            "127.0.0.1:$FULL: .*421.*"),
        Row("an unknown host", "ftp://no-such-host.invalid/", .mountFailed, "no-such-host.invalid: .+"),
        Row(
            "a server without TLS", "ftpes://127.0.0.1:$FTP/", .mountFailed, "127.0.0.1:$FTP: .*(TLS|encrypt).*"),
    ]

    struct Mistake: Sendable, CustomTestStringConvertible {
        let arguments: [String]
        let line: String
        var testDescription: String { arguments.joined(separator: " ") }
    }

    @Test(
        "of a command line that cannot be understood name what was meant",
        arguments: [
            Mistake(arguments: [], line: "Missing expected argument '<url>'; see ftpfs --help"),
            Mistake(arguments: ["ftp://h/"], line: "Missing expected argument '<mountpoint>'; see ftpfs --help"),
            Mistake(arguments: ["ftp://h/", "/a", "/b"], line: "Unexpected argument '/b'; see ftpfs --help"),
            Mistake(arguments: ["unmout", "/m"], line: "unknown command unmout; did you mean ftpfs unmount?"),
            Mistake(arguments: ["statsu"], line: "unknown command statsu; did you mean ftpfs status?"),
            Mistake(
                arguments: ["--dir-tl=5", "ftp://h/", "/m"], line: "Unknown option '--dir-tl'; did you mean --dir-ttl?"),
            Mistake(arguments: ["--xyzzy", "ftp://h/", "/m"], line: "Unknown option '--xyzzy'; see ftpfs --help"),
            Mistake(
                arguments: ["ftp.example.com", "/m"], line: "the server is not a URL; write ftp://HOST/DIRECTORY"),
            Mistake(arguments: ["probe", "--json"], line: "Missing expected argument '<url>'; see ftpfs --help"),
        ])
    func mistake(_ row: Mistake) throws {
        let outcome = try Program.run(row.arguments)

        #expect(outcome.status == ExitCode.usage.rawValue && outcome.standardOutput == "")
        #expect(outcome.standardError == "ftpfs: \(row.line)\n")
    }

    @Test(
        "are one line with the cause and the remedy",
        arguments: source + options + places + spools + passwords + servers)
    func message(_ row: Row) throws {
        let closed = try Peer(.refuses)
        let silent = try Peer(.isSilent)
        let ssh = try Peer(.says("SSH-2.0-OpenSSH_9.2\r\n"))
        let tree = MemoryTree()
        tree.add("file", text: "a file")
        let users = ["me": "right", "anonymous": ""]
        let server = try EmbeddedFTPServer(.init(storage: .memory(tree), users: users))
        var policy = try TLSPolicy(.explicit)
        policy.requiresTLSForLogin = true
        let secure = try EmbeddedFTPServer(.init(storage: .memory(tree), users: users, tls: policy))
        let full = try EmbeddedFTPServer(.init(storage: .memory(tree), users: users, maximumConnections: 0))
        for server in [server, secure, full] { try server.start() }
        defer { for server in [server, secure, full] { server.stop() } }
        try withTemporaryDirectory { directory in
            #expect(mkdir(directory.path + "/mnt", 0o700) == 0)
            _ = try directory.write("file", "nothing\n", mode: 0o600)
            _ = try directory.write("open", "username=me\npassword=hunter2\n", mode: 0o644)
            #expect(mkdir(directory.path + "/common", 0o700) == 0 && chmod(directory.path + "/common", 0o777) == 0)
            func filled(_ text: String) -> String {
                [
                    "$DIR": directory.path, "$CLOSED": "\(closed.port)", "$SILENT": "\(silent.port)",
                    "$SSH": "\(ssh.port)",
                    "$FTP": "\(server.port)", "$TLS": "\(secure.port)", "$FULL": "\(full.port)",
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
