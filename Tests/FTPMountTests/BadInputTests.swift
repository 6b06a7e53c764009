import EmbeddedFTPServer
import Testing

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Whatever is wrong gives one line with the cause and the remedy, and mount(8)'s exit code; no process and no mount is left.
@Suite("Bad input", .serialized, .timeLimit(.minutes(5)))
struct BadInputTests {
    /// Runs the program on an empty directory and checks what must hold for every failure.
    private func expectFailure(
        _ url: String, _ options: String = "", in directory: TemporaryDirectory, at place: String? = nil,
        as name: String = "ftpfs", environment: [String: String] = [:], code: ExitCode, says: String,
        sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        let mountPoint = directory.path + "/mnt"
        mkdir(mountPoint, 0o700)
        let spool = directory.path + "/spool"
        let outcome = try Program.run(
            [url, place ?? mountPoint, "-o", "spool_dir=\(spool)\(options.isEmpty ? "" : ",")\(options)"], as: name,
            environment: environment)
        let lines = outcome.standardError.split(separator: "\n")

        #expect(outcome.status == code.rawValue, "\(outcome.standardError)", sourceLocation: sourceLocation)
        #expect(lines.count == 1, "\(outcome.standardError)", sourceLocation: sourceLocation)
        #expect(
            lines.first?.hasPrefix("\(name): ") == true && lines.first?.contains(says) == true,
            "\(outcome.standardError)", sourceLocation: sourceLocation)
        #expect(!outcome.standardError.contains("hunter2"), sourceLocation: sourceLocation)
        #expect(outcome.standardOutput == "", sourceLocation: sourceLocation)
        #expect(!outcome.leftProcesses, sourceLocation: sourceLocation)
        #expect(MountTable.current().type(at: mountPoint) == nil, sourceLocation: sourceLocation)
        #expect(access(spool, F_OK) != 0 || rmdir(spool) == 0, "the spool is not empty", sourceLocation: sourceLocation)
    }

    @Test("a wrong password")
    func wrongPassword() throws {
        let server = try EmbeddedFTPServer(.init(storage: .memory(MemoryTree()), users: ["me": "right"]))
        try server.start()
        defer { server.stop() }
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://me:hunter2@127.0.0.1:\(server.port)/", in: directory, code: .mountFailed,
                says: "127.0.0.1:\(server.port): the server refused the login: 530")
        }
    }

    @Test("a directory that the server does not have")
    func missingDirectory() throws {
        let server = try EmbeddedFTPServer(.init(storage: .memory(MemoryTree())))
        try server.start()
        defer { server.stop() }
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://127.0.0.1:\(server.port)/none", in: directory, code: .mountFailed, says: "none cannot be entered"
            )
        }
    }

    @Test("an unknown host")
    func unknownHost() throws {
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://no-such-host.invalid/", "connect_timeout=10", in: directory, code: .mountFailed,
                says: "no-such-host.invalid: ")
        }
    }

    @Test("a port that refuses")
    func refusedPort() throws {
        let peer = try Peer(.refuses)
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://127.0.0.1:\(peer.port)/", in: directory, code: .mountFailed, says: "Connection refused")
        }
    }

    @Test("a server that is not FTP")
    func notFTP() throws {
        let peer = try Peer(.says("SSH-2.0-OpenSSH_9.2\r\n"))
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://127.0.0.1:\(peer.port)/", in: directory, code: .mountFailed, says: "is not an FTP server")
        }
    }

    @Test("a server that never says a word")
    func silentServer() throws {
        let peer = try Peer(.isSilent)
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://127.0.0.1:\(peer.port)/", "connect_timeout=1", in: directory, code: .mountFailed, says: "in time"
            )
        }
    }

    @Test("a mount point that is missing, a file, or not empty")
    func mountPoint() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.write("file", "", mode: 0o600)
            try expectFailure(
                "ftp://h/", in: directory, at: directory.path + "/none", code: .usage, says: "does not exist; make it")
            try expectFailure("ftp://h/", in: directory, at: file, code: .usage, says: "is not a directory")
            try expectFailure(
                "ftp://h/", in: directory, at: directory.path, code: .usage, says: "is not empty; choose an empty")
            try expectFailure("ftp://h/", in: directory, at: "/proc", code: .usage, says: "is a mount point already")
        }
    }

    @Test("a credentials file that is missing, or that others can read")
    func credentialsFile() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.write("c", "username=me\npassword=hunter2\n", mode: 0o644)
            try expectFailure(
                "ftp://h/", "credentials=\(file)", in: directory, code: .usage,
                says: "h: credentials file \(file) can be")
            try expectFailure(
                "ftp://h/", "credentials=/none", in: directory, code: .usage,
                says: "credentials file /none does not exist")
        }
    }

    @Test("a user without a password, and nobody to ask")
    func noPassword() throws {
        try withTemporaryDirectory { directory in
            try expectFailure("ftp://me@h/", in: directory, code: .usage, says: "no password for the user me")
        }
    }

    @Test("an unknown option, a wrong value, a wrong URL")
    func arguments() throws {
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://h/", "conections=2", in: directory, code: .usage, says: "did you mean connections?")
            try expectFailure("ftp://h/", "connections=0", in: directory, code: .usage, says: "1 to 64")
            try expectFailure("h:/dir", in: directory, code: .usage, says: "write ftp://HOST/DIRECTORY")
            try expectFailure("ftpx://me:hunter2@h/", in: directory, code: .usage, says: "ftpes:// or ftps:// for TLS")
        }
    }

    @Test("a spool directory that others can change, a log file that cannot be written")
    func localPlaces() throws {
        let peer = try Peer(.refuses)
        let url = "ftp://127.0.0.1:\(peer.port)/"
        try withTemporaryDirectory { directory in
            let open = directory.path + "/open"
            #expect(mkdir(open, 0o700) == 0 && chmod(open, 0o777) == 0)
            try expectFailure(
                url, "spool_dir=\(open)", in: directory, code: .system, says: "can be changed by other users")
            try expectFailure(
                url, "log_file=/none/log", in: directory, code: .system, says: "log file /none/log cannot be written")
        }
    }

    @Test("the line of a mount helper begins with its name")
    func helper() throws {
        let peer = try Peer(.refuses)
        try withTemporaryDirectory { directory in
            try expectFailure(
                "ftp://127.0.0.1:\(peer.port)/", in: directory, as: "mount.fuse.ftpfs", code: .mountFailed,
                says: "Connection refused")
        }
    }

    @Test(
        "no arguments, too many, a letter that means nothing",
        arguments: [[], ["ftp://h/"], ["ftp://h/", "/mnt", "x"], ["-q"]])
    func usage(arguments: [String]) throws {
        let outcome = try Program.run(arguments)

        #expect(outcome.status == ExitCode.usage.rawValue)
        #expect(outcome.standardError.split(separator: "\n").count == 1)
        #expect(outcome.standardError.contains("ftpfs --help"))
    }
}
