import TestSupport
import Testing

extension Mounts {
    /// Data connections in active mode, and everything through proxies: real servers, real mounts.
    @Suite struct Network {
        /// Writes, reads and lists, and compares the bytes on the server's side.
        private func exercise(_ server: TestServer, _ mount: MountedFileSystem) throws {
            let outcome = try Shell.run(
                """
                set -eu
                mkdir "$MOUNT/network"
                head -c 3000000 /dev/urandom >"$MOUNT/network/file"
                cp "$ROOT/network/file" "$MOUNT/network/copy"
                cmp "$ROOT/network/file" "$ROOT/network/copy"
                head -c 5000000 /dev/urandom >"$ROOT/network/theirs"; chmod 666 "$ROOT/network/theirs"
                cmp "$MOUNT/network/theirs" "$ROOT/network/theirs"
                tail -c 1000 "$MOUNT/network/theirs" | cmp - <(tail -c 1000 "$ROOT/network/theirs")
                echo more >>"$MOUNT/network/copy"
                test "$(tail -n 1 "$ROOT/network/copy" | tail -c 5)" = more
                test "$(ls "$MOUNT/network" | wc -l)" = 3
                rm -r "$MOUNT/network"
                test ! -e "$ROOT/network"
                """, ["MOUNT": mount.path, "ROOT": server.root])
            #expect(outcome.succeeded, "\(outcome)\(mount.log())")
        }

        private func ask(_ trace: CommandTrace) -> [String: Int] {
            Dictionary(
                uniqueKeysWithValues: ["EPSV", "PASV", "EPRT", "PORT"].map { ($0, trace.count($0)) }
                    .filter { $0.1 > 0 })
        }

        @Test(arguments: TestServer.Kind.available)
        func `in active mode the server makes the data connections`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let mount = try MountedFileSystem(server, options: ["active"])
            try exercise(server, mount)
            #expect(Array(ask(mount.commands()).keys) == ["EPRT"])
            #expect(try mount.unmount() == .code(0))
        }

        @Test(arguments: TestServer.Kind.available)
        func `in active mode with PORT the ports are those of the range`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let mount = try MountedFileSystem(
                server, options: ["data=active", "disable_eprt", "active_ports=34000-34019"])
            try exercise(server, mount)
            let trace = mount.commands()
            #expect(Array(ask(trace).keys) == ["PORT"])
            for line in trace.commands where line.verb == "PORT" {
                let numbers = line.text.dropFirst(5).split(separator: ",").compactMap { Int($0) }
                try #require(numbers.count == 6, "\(line.text)")
                let isInRange = (34000...34019).contains(numbers[4] * 256 + numbers[5])
                #expect(isInRange, "\(line.text)")
            }
            #expect(try mount.unmount() == .code(0))
        }

        @Test(arguments: TestServer.Kind.available, TestProxy.Kind.allCases)
        func `through a proxy everything works, and its password shows nowhere`(
            _ kind: TestServer.Kind, _ proxyKind: TestProxy.Kind
        ) throws {
            let server = try TestServer.shared(kind)
            let proxy = try TestProxy(proxyKind, login: "me:hunter2")
            let mount = try MountedFileSystem(
                server, options: ["proxy=\(proxyKind.rawValue)://me:hunter2@127.0.0.1:\(proxy.port)"])
            try exercise(server, mount)
            #expect(proxy.connections.first == "\(server.host) \(server.port)")
            #expect(proxy.connections.count > 5)
            let process = "/proc/\(mount.pid)"
            let shown =
                mount.log() + Files.text("/proc/self/mountinfo") + Files.text("\(process)/cmdline")
                + Files.text("\(process)/environ")
            #expect(!shown.contains("hunter2"))
            #expect(try mount.unmount() == .code(0))
        }

        @Test(arguments: [TestServer.Kind.vsftpd, .proFTPD].filter(TestServer.Kind.real.contains))
        func `the server's own data address is used when that is wished`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let mount = try MountedFileSystem(server, options: ["pasv_address=server", "ipv4"])
            try exercise(server, mount)
            #expect(Array(ask(mount.commands()).keys) == ["PASV"])
            #expect(try mount.unmount() == .code(0))
        }
    }
}
