import Logging
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The control socket: what it answers, and what it puts up with.
@Suite("The control socket", .serialized, .timeLimit(.minutes(1)))
struct ControlServerTests {
    /// A server on a socket in a directory of its own, and what it was asked for.
    private struct Served {
        let server: ControlServer
        let directory: ControlDirectory
        let refreshed = Monitor<[RemotePath]>([])
        let mountPoint: String

        var socket: FilePath { directory.socketPath(mountPoint) }

        func connect() throws -> ControlSocket {
            let socket = try ControlSocket()
            try socket.connect(to: self.socket)
            return socket
        }

        /// Sends bytes as they are, and reads the line that comes back; `nil`: it was hung up on.
        func ask(_ bytes: [UInt8]) throws -> String? {
            let socket = try connect()
            defer { socket.close() }
            try? socket.send(bytes, until: .after(.seconds(10)))
            return line(from: socket)
        }

        func line(from socket: ControlSocket) -> String? {
            let line = try? socket.receiveLine(atMost: 1 << 20, until: .after(.seconds(10)))
            return line.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private func withServer(
        _ mountPoint: String = "/mnt", patience: Duration = .seconds(5),
        flush: @escaping @Sendable (Cancellation) -> [ControlMessage.Unsent]? = { _ in [] },
        _ body: (Served) throws -> Void
    ) throws {
        try withTemporaryDirectory { place in
            #expect(chmod(place.path, 0o700) == 0)
            let directory = ControlDirectory(path: FilePath(place.path))
            let served = Served(
                server: ControlServer(mountPoint: mountPoint, logger: .quiet, patience: patience),
                directory: directory, mountPoint: mountPoint)
            let refreshed = served.refreshed
            served.server.start(
                .init(
                    status: { .example },
                    refresh: { path in
                        refreshed.withLock { $0.append(path) }
                        return 3
                    }, flush: flush), in: directory)
            defer { served.server.close() }
            try body(served)
        }
    }

    @Test("is for its owner only, and goes with the server")
    func mode() throws {
        try withServer { (served) throws in
            var status = stat()
            #expect(lstat(served.socket.string, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600 && status.st_mode & S_IFMT == S_IFSOCK)
            served.server.close()
            #expect(served.directory.sockets.isEmpty)
        }
    }

    @Test("answers each command with one line")
    func commands() throws {
        try withServer { (served) throws in
            let status = try #require(try served.ask(ControlMessage.Request.status.line))
            #expect(JSON(parsing: status.utf8)?["status"].flatMap(MountStatus.init(json:)) == .example)
            let path = try #require(RemotePath(relative: "a/b \u{e9}\""))
            #expect(try served.ask(ControlMessage.Request.refresh(path).line) == #"{"ok":true,"directories":3}"#)
            #expect(served.refreshed.withLock { $0 } == [path])
            #expect(try served.ask(ControlMessage.Request.flush.line) == #"{"ok":true,"unsent":[]}"#)
        }
    }

    @Test(
        "says what is wrong with a request",
        arguments: [
            ("\n", "this is not JSON"), ("hello\n", "this is not JSON"), ("GET / HTTP/1.1\r\n\r\n", "this is not JSON"),
            ("{}\n", "there is no command"), ("[1]\n", "there is no command"),
            (#"{"command":7}"# + "\n", "there is no command"),
            (#"{"command":"explode\u001b"}"# + "\n", #"the command explode\\x1b is not known"#),
            (#"{"command":"refresh"}"# + "\n", "refresh needs a path without . and .."),
            (#"{"command":"refresh","path":"a/../../etc"}"# + "\n", "refresh needs a path without . and .."),
            (#"{"command":"refresh","path":"a\nb"}"# + "\n", "refresh needs a path without . and .."),
        ])
    func garbage(_ request: String, _ reason: String) throws {
        try withServer { (served) throws in
            let answer = try served.ask(Array(request.utf8))
            #expect(answer == #"{"ok":false,"error":""# + reason + #""}"#)
        }
    }

    @Test("bounds the length of a request")
    func long() throws {
        try withServer { (served) throws in
            let answer = try served.ask([UInt8](repeating: UInt8(ascii: "x"), count: 200_000))
            // Its last bytes meet a closed socket, which may swallow the answer.
            #expect(answer == nil || answer == #"{"ok":false,"error":"the request is too long"}"#)
            #expect(try served.ask(ControlMessage.Request.flush.line) != nil)
        }
    }

    @Test("hangs up on who says nothing, and on who stops in the middle")
    func slow() throws {
        try withServer(patience: .milliseconds(50)) { (served) throws in
            for bytes in [[], Array(#"{"command""#.utf8)] {
                #expect(try served.ask(bytes) == nil)
            }
        }
    }

    @Test("lets in so many at a time, and no more")
    func crowd() throws {
        try withServer { (served) throws in
            var crowd = try (0..<ControlServer.maximumClients).map { _ in try served.connect() }
            defer { for socket in crowd { socket.close() } }
            // They are let in one after the other, so this one comes behind them.
            #expect(
                try served.ask(ControlMessage.Request.flush.line)
                    == #"{"ok":false,"error":"too many are asking already"}"#)
            crowd.removeLast().close()
            #expect(
                waitUntil(.after(.seconds(10))) {
                    (try? served.ask(ControlMessage.Request.flush.line))?.contains("true") == true
                })
        }
    }

    @Test("tells who waits for the end what has become of everything")
    func end() throws {
        try withServer { (served) throws in
            let waiting = try served.connect()
            defer { waiting.close() }
            try waiting.send(ControlMessage.Request.end.line, until: .after(.seconds(10)))
            // Others are served meanwhile.
            #expect(try served.ask(ControlMessage.Request.flush.line) != nil)
            served.server.finish([.init(path: "/a", reason: "no", kept: "/spool/a")])
            let line = try #require(served.line(from: waiting))
            let answer = try #require(JSON(parsing: line.utf8))
            #expect(ControlMessage.unsent(in: answer) == [.init(path: "/a", reason: "no", kept: "/spool/a")])
        }
    }

    @Test("notices when nobody waits for a flush any more")
    func abandonedFlush() throws {
        let begun = Cancellation()
        let ended = Cancellation()
        try withServer(flush: { cancellation in
            begun.cancel()
            let token = cancellation.onCancel { ended.cancel() }
            defer { cancellation.removeHandler(token) }
            return waitUntil(.after(.seconds(10))) { ended.isCancelled } ? nil : []
        }) { (served) throws in
            let socket = try served.connect()
            try socket.send(ControlMessage.Request.flush.line, until: .after(.seconds(10)))
            #expect(waitUntil(.after(.seconds(10))) { begun.isCancelled })
            socket.close()
            #expect(waitUntil(.after(.seconds(10))) { ended.isCancelled })
        }
    }

    @Test("takes the place of what a dead process has left, and cleans up behind others")
    func stale() throws {
        try withServer("/other") { (served) throws in
            for mountPoint in ["/dead", "/mnt"] {
                let left = try ControlSocket()
                try left.listen(at: served.directory.socketPath(mountPoint))
                left.close()
            }
            let server = ControlServer(mountPoint: "/mnt", logger: .quiet)
            server.start(
                .init(status: { .example }, refresh: { _ in 0 }, flush: { _ in [] }), in: served.directory)
            defer { server.close() }
            let left = Set(served.directory.sockets)
            #expect(left == [served.socket, served.directory.socketPath("/mnt")])
            #expect(try served.ask(ControlMessage.Request.flush.line) != nil)
        }
    }

    @Test("belongs to the last mount of a place; the one before does not take it away when it ends")
    func takeover() throws {
        try withServer { (served) throws in
            let second = ControlServer(mountPoint: served.mountPoint, logger: .quiet)
            second.start(
                .init(status: { .example }, refresh: { _ in 42 }, flush: { _ in [] }), in: served.directory)
            defer { second.close() }
            served.server.close()
            #expect(try served.ask(ControlMessage.Request.refresh(.root).line)?.contains("42") == true)
        }
    }

    @Test("is not made where others could come in", arguments: [0o755, 0o770, 0o1777] as [mode_t])
    func unsafeDirectory(_ mode: mode_t) throws {
        try withTemporaryDirectory { place in
            #expect(chmod(place.path, mode) == 0)
            #expect(throws: ControlDirectory.Unusable.self) {
                try ControlDirectory(path: FilePath(place.path)).prepare()
            }
            let real = place.path + "/real"
            #expect(mkdir(real, 0o700) == 0 && symlink(real, place.path + "/link") == 0)
            #expect(throws: ControlDirectory.Unusable.self) {
                try ControlDirectory(path: FilePath(place.path + "/link")).prepare()
            }
            try ControlDirectory(path: FilePath(real)).prepare()
            try ControlDirectory(path: FilePath(place.path + "/new")).prepare()
            #expect(throws: ControlDirectory.Unusable.self) {
                try ControlDirectory(path: FilePath(place.path + "/" + String(repeating: "x", count: 100))).prepare()
            }
        }
    }

    @Test("is looked for where the owner of the mount has it")
    func candidates() {
        #expect(ControlDirectory.candidates(of: 0).map(\.path.string) == ["/run/ftpfs", "/tmp/ftpfs-0"])
        #expect(
            ControlDirectory.candidates(of: 4711).map(\.path.string) == ["/run/user/4711/ftpfs", "/tmp/ftpfs-4711"])
    }

    @Test("has a short name, however long the mount point is")
    func names() {
        let directory = ControlDirectory(path: "/run/ftpfs")
        #expect(directory.socketPath("/" + String(repeating: "x", count: 4000)).string.utf8.count == 32)
        #expect(directory.socketPath("/a") != directory.socketPath("/b"))
    }
}

extension Logger {
    fileprivate static var quiet: Logger { Logger(label: "test") { _ in SwiftLogNoOpLogHandler() } }
}
