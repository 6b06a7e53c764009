import TestSupport
import Testing

extension Mounts {
    /// What goes over the wire, counted in the log of commands.
    @Suite struct Wire {
        /// A long time to live: the machine may be slow, and what is counted is not the time.
        static let options = ["dir_ttl=600"]

        @Test(arguments: TestServer.Kind.available)
        func `a second ls -l sends nothing`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(
                kind, given: "mkdir sub; touch one two three sub/file", options: Self.options)

            let first = try mounted.commands(while: "ls -l . sub")
            let second = try mounted.commands(while: "ls -l . sub")

            #expect(!first.commands.isEmpty)
            #expect(second.commands.isEmpty, "\(second)")
        }

        @Test(arguments: TestServer.Kind.available)
        func `stat of 1000 names in a listed directory sends nothing`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(
                kind, given: "mkdir many; cd many; seq -f name-%g 1000 | xargs touch", options: Self.options)

            _ = try mounted.commands(while: "ls many")
            let stat = try mounted.commands(
                while: "test $(seq -f many/name-%g 1000 | xargs stat -c %s | wc -l) = 1000")
            let missing = try mounted.commands(while: "! stat many/no-such-name")

            #expect(stat.commands.isEmpty, "\(stat)")
            #expect(missing.commands.isEmpty, "\(missing)")
        }

        @Test(
            arguments: TestServer.Kind.available,
            ["cat large", "dd if=large bs=4k status=none", "cp large /dev/stdout"])
        func `a sequential read is one RETR`(_ kind: TestServer.Kind, _ command: String) throws {
            let mounted = try Mounted(kind, given: "head -c 64M /dev/urandom >large", options: Self.options)

            let trace = try mounted.commands(while: "\(command) | cmp - \"$OWN/large\"")

            #expect(trace.count("RETR") == 1, "\(trace)")
            #expect(trace.count("ABOR") == 0, "\(trace)")
        }

        /// How it is counted: each TCP connect is one round trip, of control connections (whose greeting is counted with
        /// it) and of data connections; and on each control connection each wait for a reply is one, be it to one command
        /// or to several that were sent together.
        @Test(arguments: TestServer.Kind.available)
        func `from the mount to the first ls it takes at most 8 round trips`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "touch one two three", options: Self.options)
            #expect(try mounted.run("ls").output == "one\nthree\ntwo\n")

            let trace = mounted.mount.commands()
            let roundTrips = trace.controlConnections + trace.dataConnections + trace.roundTrips

            #expect(roundTrips <= 8, "\(roundTrips) round trips:\n\(trace)")
        }
    }
}
