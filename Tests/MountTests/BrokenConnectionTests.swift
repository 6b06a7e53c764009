import FoundationEssentials
import TestSupport
import Testing

extension Mounts {
    /// Connections break at random, at any byte: each file on the server is what it was, or what it was to become.
    @Suite struct BrokenConnections {
        /// How many operations; without the variable none.
        ///
        /// Not in everyday runs yet: a server may execute a `STOR` that it had received on a connection which is gone after
        /// the one that repeats it, and then cuts that one's file. Some thousand operations find such a moment.
        static let count = ProcessInfo.processInfo.environment["FTPFS_FAULT_OPERATIONS"].flatMap { Int($0) } ?? 0

        /// The seed, which a failure names; `FTPFS_FAULT_SEED` repeats a run.
        static let seed =
            ProcessInfo.processInfo.environment["FTPFS_FAULT_SEED"].flatMap { UInt32($0) } ?? .random(in: 0...999_999)

        @Test(
            .enabled(if: count > 0, "FTPFS_FAULT_OPERATIONS says how many operations"),
            arguments: TestServer.Kind.available, [[], ["writeback", "writeback_delay=0"]])
        func `no file is a mixture, and nothing acknowledged is missing`(
            _ kind: TestServer.Kind, _ options: [String]
        ) throws {
            let server = try TestServer.shared(kind)
            let scratch = try TemporaryDirectory("broken-connections")
            let own = "\(server.root)/broken-connections"
            let prepared = try Shell.run(
                "rm -rf \"$OWN\"; mkdir \"$OWN\"; chown --reference=\"$ROOT\" \"$OWN\"",
                ["OWN": own, "ROOT": server.root])
            try #require(prepared.succeeded, "\(prepared)")
            let switchFile = scratch.path("switch")
            let proxy = try TestProxy(.socks5, chaos: switchFile, seed: Self.seed)
            let mount = try MountedFileSystem(
                server, "broken-connections",
                options: [
                    "proxy=socks5://127.0.0.1:\(proxy.port)", "timeout=2", "connect_timeout=10", "dir_ttl=1",
                ] + options)

            let outcome = try Shell.run(
                [
                    "python3", "-B", "\(Repository.root)/Tests/MountTests/Scenarios/faulty_operations.py", mount.path,
                    own,
                    String(Self.seed), String(Self.count), switchFile,
                ] + (options.isEmpty ? [] : ["later"]), timeout: .seconds(300 + 2 * Self.count))

            #expect(outcome.succeeded, "seed \(Self.seed): \(outcome)\n\(mount.log().suffix(20_000))")
            #expect(mount.isRunning)
            #expect(try mount.unmount(within: .seconds(60)) == .code(0))
            _ = try Shell.run(["rm", "-rf", "--", own])
        }
    }
}
