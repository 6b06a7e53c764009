import TestSupport
import Testing

extension Mounts {
    /// What leaves together when programs write: a command of which the reply in front of it had not come yet.
    @Suite struct WritingFlights {
        static let options = ["dir_ttl=600", "prefetch=off", "connections=1"]

        /// The commands, those that left together in one string; names without their directories. `TIME` is whichever
        /// command sets one.
        private func flights(_ trace: CommandTrace) -> [String] {
            var flights: [String] = []
            var isAnswered = true
            for line in trace.lines {
                guard line.isCommand else {
                    isAnswered = true
                    continue
                }
                if WritingWire.others.contains(line.verb) { continue }
                let name = line.text.split(separator: "/").last.map(String.init) ?? ""
                let sets = line.verb == "MFMT" || line.text.hasPrefix("MDTM 2")
                let shown = "\(sets ? "TIME" : line.verb) \(name.hasPrefix("REST") ? "" : name)"
                if isAnswered { flights.append(shown) } else { flights[flights.count - 1] += " + \(shown)" }
                isAnswered = false
            }
            return flights
        }

        @Test(arguments: TestServer.Kind.real)
        func `an append is one flight, and its data`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "head -c 8M /dev/zero >large; echo >first", options: Self.options)
            // What is found out once is found out with another file.
            _ = try mounted.run("ls; echo first >>first")
            let trace = try mounted.commands(while: "echo line >>large; tail -c 5 large | grep line")
            #expect(flights(trace).first == "SIZE large + APPE large", "\(trace)")
            #expect(trace.count("SIZE") == 1 && trace.count("APPE") == 1, "\(trace)")
        }

        @Test(arguments: TestServer.Kind.real.filter { $0 != .pureFTPd })
        func `a patch is the look and the place in one flight, and then its data`(_ kind: TestServer.Kind) throws {
            let mounted = try Mounted(kind, given: "head -c 8M /dev/zero >large; echo >first", options: Self.options)
            _ = try mounted.run("ls; echo first >>first")
            let trace = try mounted.commands(
                while: "printf FTPS | dd of=large bs=1 seek=4194304 conv=notrunc status=none")
            let expected = ["SIZE large + REST ", "STOR large", "SIZE large"]
            #expect(flights(trace) == expected, "\(trace)")
            let after = try mounted.run(
                "dd if=large bs=1 skip=4194304 count=4 status=none; stat -c %s large \"$OWN/large\"")
            #expect(after.output == "FTPS8388608\n8388608\n")
        }

        @Test func `times that are set before the close leave behind the last byte where the server takes that`() throws
        {
            let mounted = try Mounted(.vsftpd, given: "echo >first", options: Self.options)
            _ = try mounted.run("ls; cp -p first second")
            let trace = try mounted.commands(
                while: """
                    mkdir "$OWN/../given"; for i in 1 2 3; do echo $i >"$OWN/../given/$i"; done
                    touch -d 2001-09-09 "$OWN/../given/2"
                    tar c -C "$OWN/../given" 1 2 3 | tar x --no-same-owner --no-same-permissions
                    test "$(stat -c %Y 2)" = "$(stat -c %Y "$OWN/../given/2")"
                    test "$(stat -c %Y "$OWN/2")" = "$(stat -c %Y "$OWN/../given/2")"
                    rm -r "$OWN/../given"
                    """)
            // Behind the 150, and before the 226.
            for place in trace.lines.indices where trace.lines[place].text.hasPrefix("MDTM 2") {
                let before = trace.lines[..<place].last { !$0.isCommand }
                #expect(before?.text.hasPrefix("150 ") == true, "\(trace)")
            }
            #expect(trace.commands.count { $0.text.hasPrefix("MDTM 2") } == 3, "\(trace)")
        }
    }
}
