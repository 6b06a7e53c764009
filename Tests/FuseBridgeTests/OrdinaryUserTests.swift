import SystemPackage
import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

extension MountTests {
    /// An ordinary user mounts through fusermount3. Needs a /dev/fuse that everybody may open, as udev makes it.
    @Suite(
        .serialized,
        .enabled(if: Machine.isRoot && Machine.fuseIsPublic, "needs root, to become nobody, and chmod 666 /dev/fuse"))
    struct OrdinaryUserTests {
        @Test func mountsUsesAndUnmounts() throws {
            let mount = try MountedMemory(user: "nobody")
            let asNobody = "setpriv --reuid nobody --regid nogroup --clear-groups --"
            // The script starts outside: not even root may enter another user's mount.
            let outside = try Program(
                [
                    "sh", "-c",
                    "\(asNobody) sh -euc 'cd \(mount.mountPoint); cat hello; echo a >f; cat f; stat -c %U f'",
                ],
                output: mount.directory.appending("outside"))
            #expect(outside.end() == 0)
            #expect(outside.text == "hello world\na\nnobody\n")
            let unmount = try Program(
                ["sh", "-c", "\(asNobody) fusermount3 -u \(mount.mountPoint)"],
                output: mount.directory.appending("unmount"))
            #expect(unmount.end() == 0)
            #expect(mount.server.end() == 0)
            #expect(!mount.isMounted)
        }

        @Test func aSignalEndsItAndUnmounts() throws {
            let mount = try MountedMemory(user: "nobody")
            mount.server.signal(SIGTERM)
            #expect(mount.server.end() == 0)
            #expect(!mount.isMounted)
        }

        @Test(.enabled(if: !Machine.fuseConfAllowsOther, "needs an /etc/fuse.conf without user_allow_other"))
        func allowOtherNeedsPermissionInFuseConf() throws {
            let directory = try Scratch.make(owner: "nobody")
            defer { Scratch.remove(directory) }
            let server = try MountedMemory.start(["allow_other"], in: directory, user: "nobody")
            #expect(server.end() == 1)
            #expect(
                server.text == "MemoryMount: allow_other and allow_root are not permitted; "
                    + "add the line user_allow_other to /etc/fuse.conf\n")
        }

        @Test func aDirectoryOfSomebodyElse() throws {
            let directory = try Scratch.make(owner: nil)
            defer { Scratch.remove(directory) }
            let server = try MountedMemory.start([], in: directory, user: "nobody")
            #expect(server.end() == 1)
            #expect(
                server.text.hasSuffix(
                    "only a directory that you may write to can be mounted on; choose one of your own\n"))
        }
    }
}
