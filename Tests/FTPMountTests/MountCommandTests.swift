import EmbeddedFTPServer
import SystemPackage
import Testing
import Threading

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command from the outside: what it leaves visible, when it returns, how it ends.
@Suite("The mount command", .serialized, .timeLimit(.minutes(5)), .enabled(if: access("/dev/fuse", R_OK | W_OK) == 0))
struct MountCommandTests {
    /// A server with one file, a mount point and a spool; whatever is mounted is gone afterwards, also on failure.
    private func withServer(_ body: (EmbeddedFTPServer, Place) throws -> Void) throws {
        let tree = MemoryTree()
        tree.add("hello.txt", text: "hello\n")
        let server = try EmbeddedFTPServer(.init(storage: .memory(tree), users: ["me": "hunter2", "anonymous": ""]))
        try server.start()
        defer { server.stop() }
        try withTemporaryDirectory { directory in
            let place = Place(directory: directory.path)
            #expect(mkdir(place.mountPoint, 0o700) == 0)
            defer { DeadMount.detach(place.mountPoint) }
            try body(server, place)
        }
    }

    private struct Place {
        let directory: String
        var mountPoint: String { directory + "/mnt" }
        var spool: String { directory + "/spool" }
        var isMounted: Bool { MountTable.current().type(at: mountPoint) == "fuse.ftpfs" }

        func content(of name: String) -> String? {
            guard let file = try? FileDescriptor.open(mountPoint + "/" + name, .readOnly, options: [.closeOnExec])
            else { return nil }
            defer { try? file.close() }
            var buffer = [UInt8](repeating: 0, count: 100)
            guard let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }) else { return nil }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }

        /// Unmounts as umount(8) does, and returns the error number. While another test of this process starts a program,
        /// that has a copy of every descriptor for a moment, also of a file here that has just been closed.
        func unmount() -> Int32 {
            var code: Int32 = 0
            _ = waitUntil(.after(.seconds(30))) {
                code = umount2(mountPoint, 0) == 0 ? 0 : errno
                return code != EBUSY
            }
            return code
        }

        /// Whether a process runs. One that has ended but that its adoptive parent has not asked for yet does not.
        private func runs(_ process: pid_t) -> Bool {
            let status = text(of: "/proc/\(process)/stat")
            return !status.isEmpty && !status.contains(") Z ")
        }

        /// Whether everything of the mount is gone: it, its process and its spool.
        func isGone(_ process: pid_t?) -> Bool {
            waitUntil(.after(.seconds(30))) {
                !isMounted && process.map { !runs($0) } ?? true
                    && (access(spool, F_OK) != 0 || rmdir(spool) == 0)
            }
        }
    }

    /// The process that has a word in its arguments.
    private func mountingProcess(on word: String) -> pid_t? {
        guard let directory = opendir("/proc") else { return nil }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard let number = pid_t(name), number != getpid() else { continue }
            if text(of: "/proc/\(number)/cmdline").contains(word), text(of: "/proc/\(number)/comm").hasPrefix("ftpfs") {
                return number
            }
        }
        return nil
    }

    @Test("returns when the mount answers, and shows no password anywhere")
    func mountsAndHidesThePassword() throws {
        try withServer { server, place in
            let outcome = try Program.run(
                [
                    "ftp://me@127.0.0.1:\(server.port)/", place.mountPoint, "-o",
                    "password=hunter2,spool_dir=\(place.spool),log_file=\(place.directory)/log",
                ], environment: ["FTPFS_PASSWORD": "hunter2"])
            #expect(outcome.status == 0, "\(outcome.standardError)")
            #expect(outcome.standardError == "")
            #expect(place.content(of: "hello.txt") == "hello\n")

            let process = try #require(mountingProcess(on: place.mountPoint))
            #expect(text(of: "/proc/mounts").contains("ftp://127.0.0.1:\(server.port)/ \(place.mountPoint) fuse.ftpfs"))
            #expect(!text(of: "/proc/mounts").contains("hunter2"))
            #expect(!text(of: "/proc/\(process)/cmdline").contains("hunter2"))
            #expect(!text(of: "/proc/\(process)/environ").contains("hunter2"))
            #expect(!text(of: "\(place.directory)/log").contains("hunter2"))
            #expect(text(of: "\(place.directory)/log").contains("is mounted on"))

            #expect(place.unmount() == 0)
            #expect(place.isGone(process))
        }
    }

    @Test("leaves its caller's session and directory only once it answers, and holds none of its pipes")
    func detaches() throws {
        try withServer { server, place in
            let outcome = try Program.run(
                ["ftp://127.0.0.1:\(server.port)/", place.mountPoint, "-o", "spool_dir=\(place.spool)"])
            // It came to the end of both pipes, so nobody holds them open; and no process of the group is left.
            #expect(outcome.status == 0 && !outcome.leftProcesses, "\(outcome.standardError)")

            let process = try #require(mountingProcess(on: place.mountPoint))
            #expect(getsid(process) == process)
            kill(process, SIGTERM)
            #expect(place.isGone(process))
        }
    }

    @Test("takes what mount(8) passes to its helper, and mounts nothing with -f")
    func helper() throws {
        try withServer { server, place in
            let url = "ftp://127.0.0.1:\(server.port)/"
            let options = "rw,noatime,user,_netdev,x-systemd.automount,spool_dir=\(place.spool)"
            let fake = try Program.run(
                [url, place.mountPoint, "-f", "-n", "-v", "-o", options], as: "/sbin/mount.ftpfs")
            #expect(fake.status == 0 && !place.isMounted, "\(fake.standardError)")

            let real = try Program.run(
                [url, place.mountPoint, "-sn", "-o", options + ",unheard_of=1", "-t", "fuse.ftpfs"],
                as: "/sbin/mount.fuse.ftpfs")
            #expect(real.status == 0 && place.isMounted, "\(real.standardError)")
            #expect(place.content(of: "hello.txt") == "hello\n")
            #expect(place.unmount() == 0)
            #expect(place.isGone(mountingProcess(on: place.mountPoint)))
        }
    }

    @Test(
        "in the foreground logs every command but no password, and ends cleanly after Ctrl-C and SIGTERM",
        arguments: [SIGINT, SIGTERM])
    func foreground(signal: Int32) throws {
        try withServer { server, place in
            let running = try Program.start(
                [
                    "ftp://me:hunter2@127.0.0.1:\(server.port)/", place.mountPoint, "-d", "-o",
                    "spool_dir=\(place.spool)",
                ])
            #expect(running.says("is mounted on", until: .after(.seconds(30))))
            #expect(place.content(of: "hello.txt") == "hello\n")
            #expect(!text(of: "/proc/\(running.process)/cmdline").contains("hunter2"))
            running.signal(signal)

            let code = running.wait(until: .after(.seconds(30)))
            let log = running.output(until: .after(.seconds(10))).error
            #expect(code == 0, "\(log)")
            #expect(log.contains("USER me"))
            #expect(log.contains("PASS ****"))
            #expect(!log.contains("hunter2"))
            #expect(place.isGone(nil))
        }
    }

    @Test("interrupted while it connects, leaves nothing")
    func interrupted() throws {
        let peer = try Peer(.isSilent)
        try withServer { _, place in
            let running = try Program.start(
                ["ftp://127.0.0.1:\(peer.port)/", place.mountPoint, "-f", "-o", "spool_dir=\(place.spool)"])
            #expect(waitUntil(.after(.seconds(30))) { access(place.spool, F_OK) == 0 })
            running.signal(SIGINT)

            #expect(running.wait(until: .after(.seconds(30))) == ExitCode.interrupted.rawValue)
            let said = running.output(until: .after(.seconds(10))).error
            #expect(said.hasSuffix("ftpfs: 127.0.0.1:\(peer.port): interrupted\n"), "\(said)")
            #expect(place.isGone(nil))
        }
    }

    @Test("takes the password from standard input and from a descriptor")
    func standardInput() throws {
        try withServer { server, place in
            for (options, environment) in [("password_stdin,", [:]), ("", ["PASSWD_FD": "0"])] {
                let outcome = try Program.run(
                    [
                        "ftp://me@127.0.0.1:\(server.port)/", place.mountPoint, "-o",
                        "\(options)spool_dir=\(place.spool)",
                    ],
                    environment: environment, input: "hunter2\nmore\n")
                #expect(outcome.status == 0, "\(outcome.standardError)")
                let process = mountingProcess(on: place.mountPoint)
                #expect(place.unmount() == 0)
                #expect(place.isGone(process))
            }
        }
    }

    @Test("takes a dead mount away, says so, and removes what the killed one left in the spool")
    func deadMount() throws {
        try withServer { server, place in
            let arguments = ["ftp://127.0.0.1:\(server.port)/", place.mountPoint, "-o", "spool_dir=\(place.spool)"]
            #expect(try Program.run(arguments).status == 0)
            let process = try #require(mountingProcess(on: place.mountPoint))
            kill(process, SIGKILL)
            #expect(waitUntil(.after(.seconds(30))) { access(place.mountPoint, F_OK) != 0 && errno == ENOTCONN })

            let again = try Program.run(arguments)
            #expect(again.status == 0)
            #expect(again.standardError.contains("\(place.mountPoint): removed the dead mount of ftp://127.0.0.1"))
            // It leaves nothing itself.
            let next = mountingProcess(on: place.mountPoint)
            #expect(place.unmount() == 0)
            #expect(place.isGone(next))
        }
    }

    @Test("can be tried with `ftpfs serve`, which prints its URL and serves until it is asked to end")
    func serve() throws {
        try withServer { _, place in
            let site = place.directory + "/site"
            #expect(mkdir(site, 0o700) == 0)
            let server = try Program.start(["serve", site])
            defer { server.kill() }
            let url = try #require(server.firstLine(until: .after(.seconds(30))))
            #expect(url.hasPrefix("ftp://127.0.0.1:"))

            let outcome = try Program.run([url, place.mountPoint, "-o", "spool_dir=\(place.spool)"])
            #expect(outcome.status == 0, "\(outcome.standardError)")
            let mounted = TemporaryDirectory(path: place.mountPoint)
            _ = try mounted.write("new.txt", "from here\n", mode: 0o600)
            #expect(text(of: site + "/new.txt") == "from here\n")
            let process = mountingProcess(on: place.mountPoint)
            #expect(place.unmount() == 0)
            #expect(place.isGone(process))

            server.signal(SIGTERM)
            #expect(server.wait(until: .after(.seconds(30))) == 0)
        }
    }

    @Test("says which version it is, and lists the options")
    func help() throws {
        let version = try Program.run(["--version"])
        #expect(version.status == 0 && version.standardOutput == "\(Version.current)\n")

        let help = try Program.run(["--help"])
        #expect(help.status == 0)
        for option in MountOption.table { #expect(help.standardOutput.contains(option.name)) }
        #expect(!help.standardOutput.contains("settings-fd"))
    }
}

/// The content of a file; empty when it cannot be read.
private func text(of path: String) -> String {
    guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec]) else { return "" }
    defer { try? file.close() }
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while let count = try? buffer.withUnsafeMutableBytes({ try file.read(into: $0) }), count > 0 {
        text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    return text
}
