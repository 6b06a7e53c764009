import TestSupport
import Testing

extension Mounts {
    /// Data connections in active mode, and everything through proxies: real servers, real mounts.
    @Suite struct Network {
        /// Mounts a directory of its own in which there is a file.
        private func mount(_ server: TestServer, _ options: [String]) throws -> (MountedFileSystem, directory: String) {
            let name = "network-\(UInt64.random(in: 0...UInt64.max))"
            let prepared = try Shell.run(
                """
                set -eu
                mkdir "$ROOT/$NAME"
                head -c 5000000 /dev/urandom >"$ROOT/$NAME/theirs"
                chown -R --reference="$ROOT" "$ROOT/$NAME"
                """, ["ROOT": server.root, "NAME": name])
            try #require(prepared.succeeded, "\(prepared)")
            return (try MountedFileSystem(server, name, options: options), "\(server.root)/\(name)")
        }

        /// Writes, reads and lists, and compares the bytes on the server's side.
        private func exercise(_ mount: MountedFileSystem, _ directory: String) throws {
            let outcome = try Shell.run(
                """
                set -eu
                cmp "$MOUNT/theirs" "$OWN/theirs"
                tail -c 1000 "$MOUNT/theirs" | cmp - <(tail -c 1000 "$OWN/theirs")
                mkdir "$MOUNT/new"
                cp "$OWN/theirs" "$MOUNT/new/copy"
                cmp "$OWN/theirs" "$OWN/new/copy"
                echo more >>"$MOUNT/new/copy"
                test "$(tail -c 5 "$OWN/new/copy")" = more
                test "$(ls "$MOUNT/new")" = copy
                rm -r "$MOUNT/new"
                test ! -e "$OWN/new"
                """, ["MOUNT": mount.path, "OWN": directory])
            #expect(outcome.succeeded, "\(outcome)\(mount.log())")
            _ = try Shell.run(["rm", "-rf", "--", directory])
        }

        private func ask(_ trace: CommandTrace) -> [String: Int] {
            Dictionary(
                uniqueKeysWithValues: ["EPSV", "PASV", "EPRT", "PORT"].map { ($0, trace.count($0)) }
                    .filter { $0.1 > 0 })
        }

        @Test(arguments: TestServer.Kind.available)
        func `in active mode the server makes the data connections`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let (mount, directory) = try mount(server, ["active"])
            try exercise(mount, directory)
            #expect(Array(ask(mount.commands()).keys) == ["EPRT"])
            #expect(try mount.unmount() == .code(0))
        }

        @Test(arguments: TestServer.Kind.available)
        func `in active mode with PORT the ports are those of the range`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let (mount, directory) = try mount(server, ["data=active", "disable_eprt", "active_ports=34000-34019"])
            try exercise(mount, directory)
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
            let (mount, directory) = try mount(
                server, ["proxy=\(proxyKind.rawValue)://me:hunter2@127.0.0.1:\(proxy.port)"])
            try exercise(mount, directory)
            #expect(proxy.connections.first == "\(server.host) \(server.port)")
            // The control connection, and one for each transfer; a directory may come over either.
            #expect(proxy.connections.count > 3)
            let process = "/proc/\(mount.pid)"
            let shown =
                mount.log() + Files.text("/proc/self/mountinfo") + Files.text("\(process)/cmdline")
                + Files.text("\(process)/environ")
            #expect(!shown.contains("hunter2"))
            #expect(try mount.unmount() == .code(0))
        }

        /// One server in one of its ways, of each product and kind of TLS and address.
        static let secure: [(TestServer.Kind, Endpoint.Security, Endpoint.Family)] = [
            (.vsftpd, .explicit, .ipv4), (.proFTPD, .implicit, .ipv4), (.pureFTPd, .explicit, .ipv4),
            (.pyftpdlib, .explicit, .ipv6), (.vsftpd, .implicit, .ipv6), (.proFTPD, .off, .ipv6),
        ].filter { TestServer.Kind.real.contains($0.0) }

        @Test(arguments: secure)
        func `active mode and proxies also go with TLS and IPv6`(
            _ kind: TestServer.Kind, _ security: Endpoint.Security, _ family: Endpoint.Family
        ) throws {
            let server = try TestServer(kind, security, family)
            let (active, directory) = try mount(server, ["active"])
            try exercise(active, directory)
            #expect(Array(ask(active.commands()).keys) == ["EPRT"])
            #expect(try active.unmount() == .code(0))
            for proxyKind in TestProxy.Kind.allCases {
                let proxy = try TestProxy(proxyKind)
                let (mount, directory) = try mount(server, ["proxy=\(proxyKind.rawValue)://127.0.0.1:\(proxy.port)"])
                try exercise(mount, directory)
                // The control connection, and one for each transfer; a directory may come over either.
                #expect(proxy.connections.count > 3)
                #expect(try mount.unmount() == .code(0))
            }
        }

        @Test(arguments: [TestServer.Kind.vsftpd, .proFTPD].filter(TestServer.Kind.real.contains))
        func `the server's own data address is used when that is wished`(_ kind: TestServer.Kind) throws {
            let server = try TestServer.shared(kind)
            let (mount, directory) = try mount(server, ["pasv_address=server", "ipv4"])
            try exercise(mount, directory)
            #expect(Array(ask(mount.commands()).keys) == ["PASV"])
            #expect(try mount.unmount() == .code(0))
        }
    }
}
