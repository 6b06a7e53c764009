import TestSupport
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension Mounts {
    /// `ftpfs demo`: it shows a mount at work, and whatever happens to it, nothing is left.
    @Suite(.timeLimit(.minutes(5))) struct Demo {
        /// What is left in the demo's place for temporary files, and of mounts there.
        private func leavings(in place: TemporaryDirectory) throws -> String {
            try Shell.run(
                "ls -A \"$PLACE/tmp\"; grep -F \" $PLACE/\" /proc/self/mountinfo || true", ["PLACE": place.path]
            ).output
        }

        private func start(_ arguments: [String], in place: TemporaryDirectory) throws -> ChildProcess {
            _ = try place.makeDirectory("tmp")
            return try ChildProcess(
                [Repository.program, "demo"] + arguments, environment: ["TMPDIR": place.path("tmp")],
                output: place.path("out"), errors: place.path("errors"))
        }

        @Test func `shows a file on both sides, and leaves nothing`() throws {
            let place = try TemporaryDirectory("demo")
            let demo = try start([], in: place)
            defer { demo.kill() }
            #expect(demo.wait(within: .seconds(60)) == .code(0), "\(Files.text(place.path("errors")))")
            let shown = Files.text(place.path("out"))
            #expect(shown.contains("$ cat site/new.txt\nWritten through the mount.\n"), "\(shown)")
            #expect(shown.contains("line 499\nfive hundred\nline 501\n") && shown.contains("\nthe same\n"))
            #expect(shown.hasSuffix("$ ftpfs unmount mount && ls -A mount\n"))
            #expect(Files.text(place.path("errors")) == "")
            #expect(try leavings(in: place) == "")
        }

        @Test(arguments: [SIGINT, SIGTERM, SIGHUP])
        func `stays until it is told to end, and then leaves nothing`(_ signal: Int32) throws {
            let place = try TemporaryDirectory("demo")
            let demo = try start(["--stay"], in: place)
            defer { demo.kill() }
            #expect(waitUntil(within: .seconds(60)) { Files.text(place.path("out")).contains("Ctrl-C ends this") })
            let mounted = try leavings(in: place)
            #expect(mounted.contains("fuse.ftpfs"), "\(mounted)")
            demo.signal(signal)
            #expect(demo.wait(within: .seconds(30)) == .code(0), "\(Files.text(place.path("errors")))")
            #expect(try leavings(in: place) == "")
        }

        /// Broken off while each of its command lines runs, or soon after it.
        @Test(arguments: ["mount it", "mount\n", "cat mount", "echo Written", "unmount mount"])
        func `broken off anywhere it leaves nothing`(_ mark: String) throws {
            let place = try TemporaryDirectory("demo")
            let demo = try start([], in: place)
            defer { demo.kill() }
            #expect(waitUntil(within: .seconds(60)) { Files.text(place.path("out")).contains(mark) })
            demo.signal(SIGINT)
            let end = demo.wait(within: .seconds(30))
            // It may have been done by then.
            #expect(
                end == .code(8) || end == .code(0),
                "\(Files.text(place.path("errors")))\(Files.text(place.path("out")))")
            #expect(try leavings(in: place) == "")
        }
    }
}
