import FTPClient
import SystemPackage
import Testing
import Threading

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What a mount tells the service manager.
@Suite("The service notification", .timeLimit(.minutes(1)))
struct ServiceNotificationTests {
    /// The datagrams that came to a socket while something was done.
    private func messages(abstractly: Bool, _ body: (ServiceNotification) -> Void) throws -> [String] {
        var received: [String] = []
        try withTemporaryDirectory { directory in
            let socket = Glibc.socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            try #require(socket >= 0)
            defer { close(socket) }
            let path = Array("\(abstractly ? "@" : "")\(directory.path)/notify".utf8)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { bytes in
                bytes.copyBytes(from: path)
                if abstractly { bytes[0] = 0 }
            }
            let length = MemoryLayout<sockaddr_un>.size - MemoryLayout.size(ofValue: address.sun_path) + path.count
            let bound = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(socket, $0, socklen_t(length)) == 0 }
            }
            try #require(bound)

            body(ServiceNotification(path: path))

            var buffer = [UInt8](repeating: 0, count: 4096)
            while case let count = recv(socket, &buffer, buffer.count, Int32(MSG_DONTWAIT)), count > 0 {
                received.append(String(decoding: buffer[..<count], as: UTF8.self))
            }
        }
        return received
    }

    @Test("is sd_notify(3)'s, also to a socket of the abstract namespace", arguments: [false, true])
    func protocolOfSystemd(abstractly: Bool) throws {
        let messages = try messages(abstractly: abstractly) { service in
            service.ready("mounted")
            service.status("busy")
            service.extend(by: .seconds(30), "3 files are left")
            service.stopping("unmounted")
        }

        #expect(
            messages == [
                "READY=1\nSTATUS=mounted", "STATUS=busy", "EXTEND_TIMEOUT_USEC=30000000\nSTATUS=3 files are left",
                "STOPPING=1\nSTATUS=unmounted",
            ])
    }

    @Test("goes nowhere without a socket, and does no harm", arguments: [nil, "", "relative", "/none/socket"])
    func nowhere(path: String?) {
        let service = ServiceNotification(path: path.map { Array($0.utf8) })

        service.ready("mounted")
        #expect(service.isWanted == (path == "/none/socket"))
    }
}

/// A problem that goes on does not fill the log.
@Suite("The limited log")
struct LogLimiterTests {
    private let start = Instant.now

    @Test("has five lines of a kind in a minute, then how many there were")
    func limit() {
        var limiter = LogLimiter()
        func record(_ text: String, _ seconds: Int) -> LogLimiter.Action {
            limiter.record(text, at: start.advanced(by: .seconds(seconds)))
        }

        #expect((0..<5).map { record("reading /dir/\($0) failed: 426", $0) } == Array(repeating: .write, count: 5))
        #expect((5..<59).map { record("reading /other/\($0) failed: 426", $0) }.allSatisfy { $0 == .drop })
        #expect(record("something else", 59) == .write)
        #expect(record("reading /dir/7 failed: 425", 60) == .writeWithCount(54))
        #expect(record("reading /dir/7 failed: 425", 61) == .write)
        #expect(record("reading /dir/7 failed: 425", 121) == .write)
    }

    @Test("remembers a bounded number of kinds, and forgets the oldest")
    func bounded() {
        var limiter = LogLimiter()
        func kind(_ number: Int) -> String { String(repeating: "x", count: number + 1) }
        for number in 0...LogLimiter.capacity {
            for _ in 0..<LogLimiter.burst {
                #expect(limiter.record(kind(number), at: start.advanced(by: .milliseconds(number))) == .write)
            }
        }

        #expect(limiter.record(kind(LogLimiter.capacity), at: start.advanced(by: .seconds(1))) == .drop)
        #expect(limiter.record(kind(0), at: start.advanced(by: .seconds(1))) == .write)
    }
}

/// Sources of passwords beside those of ``CredentialTests``.
@Suite("The sources of passwords", .serialized, .timeLimit(.minutes(2)))
struct CredentialSourceTests {
    /// What there is.
    private struct Given {
        var variables: [String: String] = [:]
        var credentials: [String: String] = [:]
        var keyring: Secret?
        var netrc: String?
    }

    private func search(_ url: String, _ given: Given) throws -> Credentials { try search(url, "", given) }

    private func search(_ url: String, _ options: String, _ given: Given) throws -> Credentials {
        var surroundings = CredentialSearch.Surroundings(
            takeVariable: { given.variables[$0].map { Array($0.utf8) } }, readLine: { _ in nil },
            standardNetrc: given.netrc, ask: { _ throws(MountFailure) in nil }, warn: { _ in })
        surroundings.readCredential = { name in given.credentials[name].map { Array($0.utf8) } }
        surroundings.askKeyring = { _, _, _ in given.keyring }
        var search = CredentialSearch(
            address: try ServerAddress(parsing: url),
            options: try MountOptions(parsing: [Array(options.utf8)]).credentials, surroundings: surroundings)
        return try search.run()
    }

    private func text(_ credentials: Credentials) -> String {
        let account = credentials.account.map { " " + String(decoding: $0, as: UTF8.self) } ?? ""
        return String(decoding: credentials.user + [0x3A] + credentials.password.bytes, as: UTF8.self) + account
    }

    @Test("are asked in the documented order")
    func order() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.write("p", "from file\r\nmore\n", mode: 0o600)
            var given = Given()
            given.keyring = Secret("keyring")
            given.netrc = try directory.write("n", "machine h login me password netrc account acc", mode: 0o600)
            given.credentials = [
                "ftpfs.credentials": "username=me\npassword=lines\naccount=a\n", "ftpfs.password": "one\n",
            ]
            given.variables = ["PASSWD_FILE": file]

            #expect(try text(search("ftp://me@h/", "password_file=\(file)", given)) == "me:from file")
            #expect(try text(search("ftp://me@h/", given)) == "me:from file")
            given.variables = [:]
            #expect(try text(search("ftp://me@h/", given)) == "me:lines a")
            given.credentials["ftpfs.credentials"] = "username=somebody\npassword=lines\n"
            #expect(try text(search("ftp://me@h/", given)) == "me:one")
            given.credentials = [:]
            #expect(try text(search("ftp://me@h/", given)) == "me:netrc acc")
            given.netrc = nil
            #expect(try text(search("ftp://me@h/", given)) == "me:keyring")
            #expect(throws: MountFailure.self) { try search("ftp://me@h/", "keyring=no", given) }
        }
    }

    @Test("name the user too, where the URL does not")
    func user() throws {
        var given = Given()
        given.credentials = ["ftpfs.username": "me\n", "ftpfs.password": "one\n"]

        #expect(try text(search("ftp://h/", given)) == "me:one")
    }

    @Test("in a file that others can read are refused")
    func openFile() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.write("p", "x", mode: 0o644)
            #expect {
                _ = try search("ftp://me@h/", "password_file=\(file)", Given())
            } throws: {
                ($0 as? MountFailure)?.message.contains("chmod 600") == true
            }
        }
    }

    @Test("that are other programs are given a limit, and their failures are no passwords")
    func programs() throws {
        #expect(
            HelperProgram.ask(["sh", "-c", "echo 'a b'; echo c"], within: .seconds(30)) == .line(Array("a b".utf8)))
        #expect(HelperProgram.ask(["sh", "-c", "echo a; exit 1"], within: .seconds(30)) == .nothing)
        #expect(HelperProgram.ask(["true"], within: .seconds(30)) == .nothing)
        #expect(HelperProgram.ask(["no-such-program-here"], within: .seconds(30)) == .missing)
        // It would take for ever; that it is ended is seen by that the test is.
        #expect(HelperProgram.ask(["sleep", "1000"], within: .milliseconds(50)) == .nothing)
    }

    @Test("the keyring is asked as file managers do, in a session only; systemd's credentials are files")
    func realPrograms() throws {
        try withTemporaryDirectory { directory in
            _ = try directory.write(
                "secret-tool", "#!/bin/sh\necho \"$@\" >\"$0.log\"\nprintf 'from the keyring'\n", mode: 0o755)
            _ = try directory.write("ftpfs.password", "from systemd\n", mode: 0o440)
            let mount = directory.path + "/mnt"
            #expect(mkdir(mount, 0o700) == 0)
            let path = ["PATH": "\(directory.path):/usr/bin:/bin"]
            func run(_ environment: [String: String]) throws -> String {
                // Nobody listens at port 1: it fails behind the search for the password, or in it.
                try Program.run(
                    ["ftp://me@127.0.0.1:1/", mount, "-o", "netrc=no,spool_dir=\(directory.path)/spool"],
                    environment: path.merging(environment) { $1 }
                ).standardError
            }

            #expect(try run([:]).contains("no password for the user me; give -o credentials=FILE"))
            #expect(try run(["DBUS_SESSION_BUS_ADDRESS": "unix:path=/none"]).contains("refused"))
            let asked = try Documents.content(directory.path + "/secret-tool.log")
            #expect(asked == "lookup protocol ftp server 127.0.0.1 user me port 1\n")
            #expect(try run(["CREDENTIALS_DIRECTORY": directory.path]).contains("refused"))
        }
    }
}
