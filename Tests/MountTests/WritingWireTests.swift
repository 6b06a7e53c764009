import TestSupport
import Testing

extension Mounts {
    /// What is sent for what programs write, command by command.
    ///
    /// The lists leave out how the data connection was made, which other tests are about; a first file is written
    /// before, since some things are found out once per mount.
    @Suite struct WritingWire {
        /// A long time to live: the machine may be slow, and what is counted is not the time.
        static let options = ["dir_ttl=600", "prefetch=off", "connections=1"]

        static let given = """
            mkdir full made; touch full/{a,b,c}; echo old >old; echo old >vim; echo one >one; head -c 8M /dev/zero >large
            """

        /// A script, and what is sent for it: verbs, and the names at the end of their paths. `TIME` is whichever
        /// command sets one.
        struct Row: Sendable, CustomTestStringConvertible {
            let script: String
            let commands: [String]
            var testDescription: String { script }
        }

        static let rows = [
            Row(script: "echo text >new", commands: ["STOR new"]),
            Row(script: ": >empty", commands: ["STOR empty"]),
            Row(
                script: "for i in 1 2 3; do echo $i >new-$i; done",
                commands: ["STOR new-1", "STOR new-2", "STOR new-3"]),
            Row(
                script: "cp --preserve=timestamps \"$OWN/one\" copied",
                commands: ["STOR copied", "TIME copied"]),
            Row(script: "mkdir directory", commands: ["MKD directory"]),
            Row(script: "rmdir made", commands: ["RMD made"]),
            Row(script: "mv one two", commands: ["RNFR one", "RNTO two"]),
            Row(script: "rm old", commands: ["DELE old"]),
            Row(script: "echo line >>large", commands: ["SIZE large", "APPE large"]),
            Row(script: "echo line >>large; echo line >>large", commands: ["SIZE large", "APPE large", "APPE large"]),
            Row(script: "echo new >old", commands: ["STOR TEMPORARY", "RNFR TEMPORARY", "RNTO old"]),
            Row(script: ": >old", commands: ["STOR old"]),
            Row(
                script: "mv vim vim~; echo new >vim; chmod 644 vim; rm vim~",
                commands: ["RNFR vim", "RNTO vim~", "STOR vim", "DELE vim~"]),
            Row(script: "ls full >/dev/null; rm full/a full/b", commands: ["DELE a", "DELE b"]),
            Row(
                script: "ls full >/dev/null; rm -r full",
                commands: ["DELE a", "DELE b", "DELE c", "RMD full"]),
            Row(script: "exec 3>>old; exec 3>&-; exec 3<>old; exec 3>&-", commands: []),
        ]

        /// Commands that make data connections, or list.
        static let others: Set = ["EPSV", "PASV", "TYPE", "MLSD", "LIST", "STAT"]

        private func commands(_ trace: CommandTrace) -> [String] {
            trace.commands.filter { !Self.others.contains($0.verb) }.map { line in
                let name = line.text.split(separator: "/").last.map(String.init) ?? ""
                let shown = name.hasPrefix(".ftpfs-") ? "TEMPORARY" : name
                let sets = line.verb == "MFMT" || line.text.hasPrefix("MDTM 2")
                return "\(sets ? "TIME" : line.verb) \(shown)"
            }
        }

        private func sorted(_ commands: [String]) -> [String] {
            // Who removes a tree does it in the order of the server's listing.
            commands.allSatisfy { $0.hasPrefix("DELE ") || $0.hasPrefix("RMD ") }
                ? commands.filter { $0.hasPrefix("DELE") }.sorted() + commands.filter { !$0.hasPrefix("DELE") }
                : commands
        }

        @Test(arguments: TestServer.Kind.real)
        func `nothing is sent that is not needed`(_ kind: TestServer.Kind) throws {
            for row in Self.rows {
                let mounted = try Mounted(kind, given: Self.given, options: Self.options)
                _ = try mounted.run("ls; echo first >first; cp -p first second; echo again >first")
                let trace = try mounted.commands(while: row.script)
                #expect(sorted(commands(trace)) == row.commands, "\(row.script): \(trace)")
                #expect(try mounted.mount.unmount() == .code(0))
            }
        }

        @Test(arguments: TestServer.Kind.real)
        func `a rename is one round trip`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "touch $(seq -f f%g 20)", options: Self.options)
            _ = try mounted.run("ls")
            let trace = try mounted.commands(while: "for i in $(seq 20); do mv f$i g$i; done; ls >/dev/null")
            #expect(trace.count("RNTO") == 20)
            #expect(trace.roundTrips == 20, "\(trace)")
        }

        @Test(arguments: TestServer.Kind.real)
        func `a tree that is unpacked costs one transfer and one time per file`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(
                kind,
                given:
                    "mkdir given; for i in $(seq 60); do mkdir -p given/$((i % 10)); echo $i >given/$((i % 10))/$i; done",
                options: Self.options)
            _ = try mounted.run("ls; mkdir out")
            let trace = try mounted.commands(
                while: """
                    tar c -C "$OWN/given" . | tar x --no-same-owner --no-same-permissions -C out
                    diff -r "$OWN/given" "$OWN/out"
                    test "$(stat -c %Y "$OWN/given/3/13")" = "$(stat -c %Y "$OWN/out/3/13")"
                    """)
            #expect(trace.count("STOR") == 60)
            #expect(trace.count("MKD") == 10)
            // Times of 60 files and of 11 directories, a mode, and what is found out once: nothing is listed or looked at.
            let count = commands(trace).count
            #expect(count <= 60 + 10 + 71 + 4, "\(count): \(trace)")
            #expect(trace.count("LIST") + trace.count("MLSD") + trace.count("STAT") <= 1, "\(trace)")
        }

        @Test(arguments: TestServer.Kind.real)
        func `four bytes in the middle are four bytes where the server keeps the rest`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "head -c 32M /dev/urandom >large", options: Self.options)
            let trace = try mounted.commands(
                while: """
                    cp "$OWN/large" "$OWN/../expected"
                    patch() { printf FTPS | dd of="$1" bs=1 seek=$2 conv=notrunc status=none; }
                    for at in 16777233 1000; do patch large $at; patch "$OWN/../expected" $at; done
                    cmp large "$OWN/../expected"
                    cmp "$OWN/large" "$OWN/../expected"
                    rm "$OWN/../expected"
                    """)
            if kind == .pureFTPd {
                #expect(trace.count("REST") == 0, "\(trace)")
            } else {
                #expect(trace.count("STOR") == 2, "\(trace)")
                #expect(trace.count("REST") == 2, "\(trace)")
                // Before the first, unless it is known from the listing, and behind it; what it told holds for the second.
                #expect(trace.count("SIZE") <= 2, "\(trace)")
            }
        }

        @Test func `the first four bytes are four bytes where the server stores ranges`() throws {
            let mounted = try Mounted(.proFTPD, given: "head -c 32M /dev/urandom >large", options: Self.options)
            let trace = try mounted.commands(
                while: """
                    cp "$OWN/large" "$OWN/../expected"
                    for file in large "$OWN/../expected"; do printf FTPS | dd of="$file" conv=notrunc status=none; done
                    cmp "$OWN/large" "$OWN/../expected"
                    rm "$OWN/../expected"
                    """)
            #expect(trace.count("RANG") == 1, "\(trace)")
            #expect(trace.count("RETR") == 0, "\(trace)")
            #expect(trace.count("RNTO") == 0, "\(trace)")
        }
    }
}
