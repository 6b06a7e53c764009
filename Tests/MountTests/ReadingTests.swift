import TestSupport
import Testing

extension Mounts {
    /// How files and directories are read over the wire, counted in the log of commands.
    @Suite struct Reading {
        /// A long time to live: the machine may be slow, and what is counted is not the time.
        static let options = ["dir_ttl=600"]

        static let tree = """
            for d in $(seq -w 50); do mkdir -p tree/d$d; for f in 1 2 3; do echo $d $f >tree/d$d/f$f; done; done
            """

        /// With and without work ahead; and with one connection, where there can be none.
        static let ways: [[String]] = [[], ["prefetch=off"], ["connections=1"]]

        private func listings(_ trace: CommandTrace) -> Int {
            ["MLSD", "LIST", "STAT"].reduce(0) { $0 + trace.count($1) }
        }

        @Test(arguments: TestServer.Kind.available, ways)
        func `a walk through 51 directories is 51 listings`(_ kind: TestServer.Kind, _ way: [String]) throws {
            let mounted = try Mounted(kind, given: Self.tree, options: Self.options + way)
            _ = try mounted.run("ls; stat tree")

            let trace = try mounted.commands(while: "test $(find tree -type f -size +0 | wc -l) = 150")

            #expect(listings(trace) == 51, "\(trace)")
            #expect(try mounted.commands(while: "ls -lR tree").commands.isEmpty)
        }

        @Test(arguments: TestServer.Kind.available, ways)
        func `files read in order are one transfer each, and what they hold is right`(
            _ kind: TestServer.Kind, _ way: [String]
        ) throws {
            let mounted = try Mounted(
                kind, given: "mkdir many; cd many; for f in $(seq -w 80); do seq 1 ${f}00 >$f; done",
                options: Self.options + way)
            _ = try mounted.run("ls many")

            let trace = try mounted.commands(while: "cat many/* | cmp - <(cd \"$OWN\"; cat many/*)")

            #expect(trace.count("RETR") == 80, "\(trace)")
            #expect(listings(trace) == 0, "\(trace)")
        }

        @Test(arguments: TestServer.Kind.available)
        func `one file of many is one transfer, and nothing else`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: Self.tree, options: Self.options)
            _ = try mounted.run("ls tree/d17 tree/d05")

            let trace = try mounted.commands(while: "cat tree/d17/f2 tree/d05/f1; sleep 0.3")

            #expect(trace.count("RETR") == 2, "\(trace)")
            #expect(listings(trace) == 0, "\(trace)")
        }

        @Test(arguments: TestServer.Kind.available, ["cp -r tree \"$COPY\"", "tar cf - tree | tar xf - -C \"$COPY\""])
        func `a copied tree is the same, and each file one transfer`(
            _ kind: TestServer.Kind, _ command: String
        ) throws {
            let mounted = try Mounted(kind, given: Self.tree, options: Self.options)
            let trace = try mounted.commands(
                while: "COPY=$(mktemp -d); \(command); diff -r \"$OWN/tree\" \"$COPY/tree\"; rm -r \"$COPY\"")

            #expect(trace.count("RETR") == 150, "\(trace)")
            #expect(listings(trace) <= 53, "\(trace)")
        }

        @Test(arguments: TestServer.Kind.available)
        func `two distant readers of one file are a stream each`(_ kind: TestServer.Kind) throws {
            // Until both have gone on, one may have been taken for a reader that jumps.
            let trace = try readFromBothHalves(kind, ["connections=4"])
            #expect((2...5).contains(trace.count("RETR")), "\(trace)")
        }

        @Test(arguments: TestServer.Kind.available)
        func `with one connection they take turns`(_ kind: TestServer.Kind) throws {
            // Each of the 96 requests that the kernel makes may be a turn, and a few more when they begin.
            let trace = try readFromBothHalves(kind, ["connections=1"])
            #expect((2...100).contains(trace.count("RETR")), "\(trace)")
        }

        private func readFromBothHalves(_ kind: TestServer.Kind, _ options: [String]) throws -> CommandTrace {
            let mounted = try Mounted(
                kind, given: "head -c 96M /dev/urandom >large", options: Self.options + options)
            let half = 48 << 20
            return try mounted.commands(
                while: """
                    tail -c +\(half + 1) large | cmp - <(tail -c +\(half + 1) "$OWN/large") & other=$!
                    head -c \(half) large | cmp - <(head -c \(half) "$OWN/large"); wait $other
                    """)
        }

        @Test(arguments: TestServer.Kind.available)
        func `reads at random places bring little more than they ask for`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "head -c 64M /dev/urandom >large", options: Self.options)
            _ = try mounted.run("stat large")

            let trace = try mounted.commands(
                while: """
                    for page in 9000 400 16000 2222 12000 7001; do
                        dd if=large bs=4k skip=$page count=1 status=none |
                            cmp - <(dd if="$OWN/large" bs=4k skip=$page count=1 status=none)
                    done
                    """)

            #expect(trace.count("RETR") == 6, "\(trace)")
        }

        @Test(.enabled(if: Files.text("/proc/self/status").contains("Uid:\t0\t"), "read_ahead_kb is root's to change"))
        func `the kernel reads ahead as much as one request holds`() throws {
            let mounted = try Mounted(.embedded, given: "true", options: Self.options)
            let outcome = try mounted.run(
                "cat /sys/class/bdi/$(mountpoint -d \"$PWD\" || stat -c %Hd:%Ld .)/read_ahead_kb")
            #expect(outcome.output == "1024\n")
        }
    }
}
