import TestSupport
import Testing

extension Mounts {
    /// What the commands show on a terminal of 80 columns: a real one (pty(7)).
    @Suite(.timeLimit(.minutes(5))) struct Terminal {
        private static let colour = "\u{1B}["
        /// Goes to the beginning of the line; what is behind the text is erased.
        private static let erase = "\u{1B}[K"

        private func onTerminal(_ arguments: [String], isPlain: Bool = false) throws -> Shell.Outcome {
            // Empty is as if it were not there, whatever the surroundings of the test say.
            try Shell.run(
                ["python3", Repository.script("packaging/on-terminal"), Repository.program] + arguments,
                ["NO_COLOR": isPlain ? "1" : ""], timeout: .seconds(120))
        }

        /// A mount that can be asked: the kernel has it a moment before.
        private func mounted(_ server: TestServer, options: [String] = []) throws -> MountedFileSystem {
            let mount = try MountedFileSystem(server, options: options)
            guard waitUntil(within: .seconds(20), { mount.log().contains(" is mounted on ") }) else {
                throw TestFailure("the mount does not answer: \(mount.log())")
            }
            return mount
        }

        private func withoutColours(_ text: some StringProtocol) -> String {
            String(text).replacing(#/\u{1B}\[[0-9;]*m/#, with: "")
        }

        @Test func `unmount shows how sending gets on in one line, which is gone at the end`() throws {
            // Some ten seconds for each of the files, of which the kernel's buffers take a part at once.
            let server = try TestServer(.vsftpd, bytesPerSecond: 1_000_000)
            let mount = try mounted(server, options: ["writeback"])
            let made = try Shell.run(
                "for i in 1 2 3; do head -c 12000000 /dev/zero >\"$MOUNT/$i\"; done", ["MOUNT": mount.path])
            #expect(made.succeeded, "\(made)")

            let outcome = try onTerminal(["unmount", mount.path])

            #expect(outcome.succeeded, "\(outcome)")
            // A carriage return, a text, and what is behind it erased: again and again.
            let drawn = outcome.output.split(separator: "\r").map { $0.replacing(Self.erase, with: "") }
            #expect(drawn.last == "", "nothing is left of it: \(drawn)")
            let lines = drawn.map(withoutColours).filter { $0.hasPrefix("sending") }
            #expect(lines.count > 1, "\(outcome)")
            var percents: [Int] = []
            for line in lines {
                #expect(line.count <= 79, "\(line)")
                let parts = line.wholeMatch(
                    of: #/sending [123] files? \[(#*)(-*)\] +(\d+) %, ([\d.]+ [kM]B|\d+ bytes?) left/#)
                guard let parts, let percent = Int(parts.3) else {
                    Issue.record("this is drawn: \(line)")
                    continue
                }
                #expect(parts.1.count == percent * 28 / 100 && parts.1.count + parts.2.count == 28, "\(line)")
                percents.append(percent)
            }
            #expect(percents == percents.sorted(), "it never goes back")
            #expect(Set(percents).count > 1, "it moves: \(percents)")
            #expect(drawn.contains { $0.contains("\(Self.colour)36m[") })
            for name in ["1", "2", "3"] { #expect(Files.size("\(server.root)/\(name)") == 12_000_000) }
        }

        @Test func `there are colours on a terminal, and none with NO_COLOR`() throws {
            let mount = try mounted(try TestServer.shared(.vsftpd))
            for arguments in [["status", mount.path], ["list"]] {
                let coloured = try onTerminal(arguments)
                #expect(coloured.succeeded && coloured.output.contains("\(Self.colour)32mserving"), "\(coloured)")
                let plain = try onTerminal(arguments, isPlain: true)
                #expect(plain.succeeded && !plain.output.contains(Self.colour), "\(plain)")
                #expect(plain.output.contains("serving"))
            }
        }

        @Test func `probe fits into 80 columns, with what works in green`() throws {
            let server = try TestServer(.vsftpd, .explicit)
            let outcome = try Shell.run(
                [
                    "python3", Repository.script("packaging/on-terminal"), Repository.program, "probe",
                    "ftpes://\(server.user)@127.0.0.1:\(server.port)/", "-o", "tls_verify=no",
                ], ["FTPFS_PASSWORD": server.password, "NO_COLOR": ""], timeout: .seconds(120))

            #expect(outcome.succeeded && outcome.output.contains("\(Self.colour)32myes"), "\(outcome)")
            let lines = withoutColours(outcome.output).split(separator: "\n")
            for line in lines { #expect(line.count <= 80, "\(line)") }
            // To be copied as a whole.
            #expect(lines.contains { $0.wholeMatch(of: #/ {4}sha256:[0-9a-f]{64}/#) != nil }, "\(outcome)")
            #expect(outcome.output.contains(#/data connections resume the session +\u{1B}\[32myes/#), "\(outcome)")
        }

        @Test func `watching draws the status in place of the one before, until the mount ends`() throws {
            let mount = try mounted(try TestServer.shared(.vsftpd))
            let place = try TemporaryDirectory("watch")
            let watch = try ChildProcess(
                [
                    "python3", Repository.script("packaging/on-terminal"), Repository.program, "status", "--watch",
                    mount.path,
                ],
                output: place.path("out"), errors: place.path("errors"))
            defer { watch.kill() }
            let home = "\(Self.colour)H\(Self.colour)2J"
            func times() -> Int {
                Files.text(place.path("out")).split(separator: home, omittingEmptySubsequences: false).count - 1
            }
            #expect(waitUntil(within: .seconds(30)) { times() >= 2 })
            _ = try mount.unmount()
            #expect(watch.wait(within: .seconds(30)) == .code(0))
        }
    }
}
