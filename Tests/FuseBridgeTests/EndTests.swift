import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension MountTests {
    /// However a mount ends, it ends, and nothing stays behind.
    @Suite(.serialized) struct EndTests {
        @Test(arguments: ["umount", "fusermount3 -u"])
        func unmountedFromOutside(command: String) throws {
            let mount = try MountedMemory()
            #expect(try mount.run("cd /; \(command) \"$M\"").code == 0)
            #expect(mount.server.end() == 0)
            #expect(mount.server.text.hasSuffix("ended\n"))
            #expect(!mount.isMounted)
        }

        @Test(arguments: [SIGTERM, SIGINT])
        func aSignalEndsIdleLoops(signal: Int32) throws {
            let mount = try MountedMemory()
            mount.server.signal(signal)
            #expect(mount.server.end() == 0)
            #expect(mount.server.text.hasSuffix("ended\n"))
            #expect(!mount.isMounted)
        }

        @Test(arguments: ["cat blocked/x", "cat slow"])
        func aSignalEndsItWhileARequestWaits(script: String) throws {
            // Given a program that waits for an answer,
            let mount = try MountedMemory()
            let program = try mount.start(script)
            #expect(mount.waitsFor(1))
            // when the server is told to end, both end.
            mount.server.signal(SIGTERM)
            #expect(mount.server.end() == 0)
            #expect(program.end() == 1)
            #expect(!mount.isMounted)
        }

        @Test func aReadThatIsNeverAnsweredDoesNotKeepItAlive() throws {
            let mount = try MountedMemory()
            let program = try mount.start("cat stuck")
            #expect(
                waitUntil(.after(.seconds(30))) { (try? mount.run("cat status").text.contains("handles 2")) == true })
            mount.server.signal(SIGTERM)
            #expect(mount.server.end() == 0)
            #expect(program.end() == 1)
            #expect(!mount.isMounted)
        }

        @Test func umountWhileARequestWaitsIsRefusedAtOnceAndPossibleLater() throws {
            let mount = try MountedMemory()
            let program = try mount.start("exec cat blocked/x")
            #expect(mount.waitsFor(1))
            #expect(try mount.run("cd /; umount \"$M\"").text.contains("busy"))

            program.signal(SIGINT)
            #expect(program.end() == 128 + SIGINT)
            #expect(try mount.run("cd /; umount \"$M\"").code == 0)
            #expect(mount.server.end() == 0)
        }

        @Test(.enabled(if: Machine.isRoot, "umount -f is root's"))
        func umountByForceEndsRequestsThatWait() throws {
            let mount = try MountedMemory()
            let program = try mount.start("exec cat blocked/x")
            #expect(mount.waitsFor(1))
            _ = try mount.run("cd /; umount -f -l \"$M\"")
            #expect(program.end() == 1)
            #expect(mount.server.end() == 0)
            #expect(!mount.isMounted)
        }

        @Test func aLazyUmountEndsTheServerWithTheLastProgram() throws {
            let mount = try MountedMemory()
            let program = try mount.start("exec cat blocked/x")
            #expect(mount.waitsFor(1))
            #expect(try mount.run("cd /; umount -l \"$M\"").code == 0)
            #expect(!mount.isMounted)
            #expect(mount.server.exitCode == nil)

            program.signal(SIGINT)
            #expect(program.end() == 128 + SIGINT)
            #expect(mount.server.end() == 0)
        }

        @Test func aServerThatIsKilledLeavesAMountWithAClearRemedy() throws {
            // Given a server that died,
            let mount = try MountedMemory()
            let program = try mount.start("exec cat blocked/x")
            #expect(mount.waitsFor(1))
            mount.server.signal(SIGKILL)
            _ = mount.server.end()
            #expect(program.end() == 1)
            // when somebody mounts there again,
            let second = try MountedMemory.start([], in: mount.directory, user: nil)
            // then the message says what to do, and that helps.
            #expect(second.end() == 1)
            let remedy = "fusermount3 -u \(mount.mountPoint)"
            #expect(second.text.contains("an earlier mount is still there but its program is gone; run \(remedy)\n"))
            #expect(try Program(["sh", "-c", remedy], output: mount.directory.appending("remedy")).end() == 0)
            #expect(!mount.isMounted)
        }
    }
}
