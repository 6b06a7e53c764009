import TestSupport
import Testing

extension Mounts {
    /// Times of servers that list them in zones of their own: `stat` here says what it says on the server.
    @Suite struct Times {
        /// Files of now, of hours and days ago, of the other half of the year, and of other years. vsftpd and Pure-FTPd,
        /// confined to a directory, use the present offset for every date; so what a summer time would change is compared
        /// only where the server knows of it, to the hour elsewhere.
        static let given = """
            touch now; touch -d '2 hours ago' hours; touch -d '20 days ago' days; touch -d '150 days ago' months
            touch -d '2020-02-29 12:34:56 UTC' old
            """

        /// The difference to the server's time of each file in seconds.
        private func differences(_ mounted: MountedFileSystem, _ root: String) throws -> [String: Int] {
            let outcome = try Shell.run(
                """
                cd "$MOUNT"
                for file in now hours days months old; do
                    echo "$file $(($(stat -c %Y "$ROOT/$file") - $(stat -c %Y $file)))"
                done
                """, ["MOUNT": mounted.path, "ROOT": root])
            guard outcome.succeeded else { throw TestFailure("\(outcome)\n\(mounted.log())") }
            return Dictionary(
                uniqueKeysWithValues: outcome.output.split(separator: "\n").map { line in
                    let words = line.split(separator: " ")
                    return (String(words[0]), Int(words[1]) ?? .max)
                })
        }

        private func given(_ server: TestServer) throws {
            let outcome = try Shell.run(
                "set -eu; cd \"$ROOT\"; \(Self.given); chown -R --reference=. .", ["ROOT": server.root])
            guard outcome.succeeded else { throw TestFailure("given: \(outcome)") }
        }

        @Test(arguments: TestServer.Kind.real, ["Asia/Kathmandu", "America/St_Johns"])
        func `are right in any zone, by the listing alone`(_ kind: TestServer.Kind, _ zone: String) throws {
            let server = try TestServer(kind, timeZone: zone)
            try given(server)
            // vsftpd tells no time that is not in its zone: it has to be said.
            let options = kind == .vsftpd ? ["timezone=\(zone)"] : []
            let mounted = try MountedFileSystem(server, options: options)
            let differences = try differences(mounted, server.root)
            for file in ["now", "hours", "days"] {
                #expect((0..<60).contains(differences[file] ?? .max), "\(file): \(differences)\n\(mounted.log())")
            }
            let summer = (differences["months"] ?? .max) % 3_600
            #expect((0..<60).contains(summer), "\(differences)")
        }

        @Test(arguments: ["Asia/Kathmandu", "America/St_Johns", "Asia/Kolkata", "UTC"])
        func `are right where MLSD is refused, by one MDTM`(_ zone: String) throws {
            let server = try TestServer(.proFTPD, timeZone: zone, refusesMLSD: true)
            try given(server)
            let mounted = try MountedFileSystem(server)
            let differences = try differences(mounted, server.root)
            for file in ["now", "hours", "days"] {
                #expect((0..<60).contains(differences[file] ?? .max), "\(file): \(differences)\n\(mounted.log())")
            }
            _ = try Shell.run(["ls", "-l", mounted.path])
            #expect(mounted.commands().count("MDTM") == 1)
            #expect(mounted.commands().count("MLSD") == 1)
        }

        @Test(arguments: [("America/St_Johns", "months"), ("Asia/Kathmandu", "old")])
        func `are right all through the year where the zone is named`(_ zone: String, _ file: String) throws {
            let server = try TestServer(.proFTPD, timeZone: zone, refusesMLSD: true)
            try given(server)
            let mounted = try MountedFileSystem(server, options: ["timezone=\(zone)"])
            let differences = try differences(mounted, server.root)
            // A date with a year has no time of day.
            let precision = file == "old" ? 86_400 : 60
            #expect((0..<precision).contains(differences[file] ?? .max), "\(differences)\n\(mounted.log())")
        }

        @Test(.enabled(if: TestServer.Kind.real.contains(.vsftpd)), arguments: ["Asia/Kathmandu", "America/St_Johns"])
        func `of vsftpd are right once a file was written`(_ zone: String) throws {
            let server = try TestServer(.vsftpd, timeZone: zone)
            try given(server)
            let mounted = try MountedFileSystem(server, options: ["dir_ttl=0"])
            let outcome = try Shell.run("echo x >\"$MOUNT/new\"", ["MOUNT": mounted.path])
            #expect(outcome.succeeded, "\(outcome)")
            let differences = try differences(mounted, server.root)
            for file in ["now", "hours", "days"] {
                #expect((0..<60).contains(differences[file] ?? .max), "\(file): \(differences)\n\(mounted.log())")
            }
            // A time that is set arrives as it was meant.
            let set = try Shell.run(
                "touch -d '2021-06-01 12:00:00 UTC' \"$MOUNT/new\"; stat -c %Y \"$ROOT/new\" \"$MOUNT/new\"",
                ["MOUNT": mounted.path, "ROOT": server.root])
            #expect(set.output == "1622548800\n1622548800\n", "\(set)\n\(mounted.log())")
        }
    }
}
