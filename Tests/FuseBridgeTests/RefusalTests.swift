import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension MountTests {
    /// What goes wrong before there is a mount: one line, exit code 1, nothing left.
    @Suite(.serialized) struct RefusalTests {
        @Test(arguments: [
            ("rmdir \"$M\"", [], "mnt: the mount point does not exist; make it with mkdir\n"),
            (
                "rmdir \"$M\"; touch \"$M\"", [],
                "mnt: the mount point is not a directory; choose one, or make it with mkdir\n"
            ),
            (
                "touch \"$M/file\"", [],
                "mnt: the mount point is not empty; choose an empty directory, or use the option nonempty\n"
            ),
            ("true", ["frobnicate"], "unknown mount option frobnicate; see the list of options\n"),
        ])
        func oneLine(preparation: String, options: [String], message: String) throws {
            let directory = try Scratch.make(owner: nil)
            defer { Scratch.remove(directory) }
            let prepared = try Program(
                ["sh", "-euc", preparation], environment: ["M": directory.appending("mnt").string],
                output: directory.appending("preparation"))
            #expect(prepared.end() == 0)

            let server = try MountedMemory.start(options, in: directory, user: nil)
            #expect(server.end() == 1)
            #expect(server.text.hasPrefix("MemoryMount: "))
            #expect(server.text.hasSuffix(message))
            #expect(server.text.filter { $0 == "\n" }.count == 1)
        }

        @Test func aDirectoryThatHoldsSomethingCanBeMountedOnWhenToldSo() throws {
            let directory = try Scratch.make(owner: nil)
            defer { Scratch.remove(directory) }
            _ = try Program(["touch", directory.appending("mnt/file").string], output: "/dev/null").end()
            let server = try MountedMemory.start(["nonempty"], in: directory, user: nil)
            #expect(waitUntil(.after(.seconds(30))) { server.text == "ready\n" })
            server.signal(SIGTERM)
            #expect(server.end() == 0)
        }
    }
}
