import Testing

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The directory to mount on.
@Suite("The mount point")
struct MountPointTests {
    private func reason(_ path: String, nonEmpty: Bool = false) -> String? {
        do throws(MountFailure) {
            _ = try MountPoint(checking: path, acceptsNonEmpty: nonEmpty)
            return nil
        } catch {
            return error.code == .usage ? error.message : "code \(error.code)"
        }
    }

    @Test("is an empty directory, named without symbolic links")
    func good() throws {
        try withTemporaryDirectory { directory in
            let real = directory.path + "/real"
            let link = directory.path + "/link"
            #expect(mkdir(real, 0o700) == 0)
            #expect(symlink("real", link) == 0)

            let mountPoint = try MountPoint(checking: link, acceptsNonEmpty: false)
            #expect(mountPoint.path == real)
            #expect(reason(real + "/") == nil)
        }
    }

    @Test("that is missing, a file, or not empty is refused with the remedy")
    func bad() throws {
        try withTemporaryDirectory { directory in
            let file = try directory.write("file", "x", mode: 0o600)

            #expect(reason(directory.path + "/none")?.contains("mkdir") == true)
            #expect(reason(file)?.contains("is not a directory") == true)
            #expect(reason(file + "/x")?.contains("is not a directory") == true)
            #expect(reason(directory.path)?.contains("-o nonempty") == true)
            #expect(reason(directory.path, nonEmpty: true) == nil)
            #expect(reason("")?.contains("does not exist") == true)
        }
    }

    @Test("that holds a mount already is refused")
    func mounted() {
        #expect(reason("/proc")?.contains("is a mount point already (proc)") == true)
    }

    @Test("is found in the kernel's table, whatever its name")
    func table() {
        let table = MountTable(
            Array(
                """
                22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
                36 22 0:30 / /mnt/a\\040b rw,nosuid - fuse.ftpfs ftp://h/ rw
                37 36 0:31 / /mnt/a\\040b rw shared:2 master:3 - autofs systemd-1 rw
                broken line
                """.utf8))

        #expect(table.type(at: "/") == "ext4")
        #expect(table.type(at: "/mnt/a b") == "autofs")
        #expect(table.type(at: "/mnt") == nil)
    }
}
