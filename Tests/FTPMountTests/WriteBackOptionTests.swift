import SystemPackage
import Testing
import Threading

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// `-o writeback` and what goes with it, and the spool directory that outlives a mount.
@Suite struct WriteBackOptionTests {
    private func options(_ text: String) throws -> MountOptions {
        try MountOptions(parsing: [Array(text.utf8)], ignoringUnknown: false)
    }

    @Test func closeWaitsForTheServerUnlessToldOtherwise() throws {
        #expect(try !options("rw").writesBack)
        #expect(try options("writeback").writesBack)
        #expect(try options("rw").writeBackDelay == .seconds(1))
        #expect(try options("writeback_delay=0").writeBackDelay == .zero)
        #expect(try options("rw").drainTimeout == nil)
        #expect(try options("drain_timeout=90").drainTimeout == .seconds(90))
    }

    @Test(arguments: ["writeback_delay=-1", "writeback_delay=3601", "drain_timeout=0", "drain_timeout=x"])
    func whatIsNoTimeIsRefused(_ text: String) {
        #expect(throws: MountOptions.Invalid.self) { try options(text) }
    }

    // MARK: - The directory

    private func spool(_ directory: TemporaryDirectory, _ source: String) throws -> SpoolDirectory {
        try SpoolDirectory(chosen: directory.path, of: source, until: .after(.zero))
    }

    @Test func aSourceHasTheSameDirectoryWheneverItIsMounted() throws {
        try withTemporaryDirectory { directory in
            let first = try spool(directory, "ftp://me@host:21/a")
            let other = try spool(directory, "ftp://me@host:21/b")
            #expect(first.path != other.path)
            let file = first.path.appending("open-1").string
            let descriptor = try FileDescriptor.open(file, .writeOnly, options: .create, permissions: .ownerReadWrite)
            try descriptor.close()
            #expect(!first.remove())
            #expect(other.remove())

            let next = try spool(directory, "ftp://me@host:21/a")
            #expect(next.path == first.path)
            unlink(file)
            #expect(next.remove())
            #expect(SpoolDirectory.names(in: FilePath(directory.path)) == [])
        }
    }

    @Test func onlyItsOwnerCanEnterIt() throws {
        try withTemporaryDirectory { directory in
            let spool = try spool(directory, "ftp://me@host:21/")
            var status = stat()
            #expect(stat(spool.path.string, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o700)
            #expect(spool.remove())
        }
    }

    @Test func twoMountsDoNotShareIt() throws {
        try withTemporaryDirectory { directory in
            let source = "ftp://me@host:21/"
            let first = try spool(directory, source)
            #expect(throws: MountFailure.self) { try spool(directory, source) }
            #expect(first.remove())
            #expect(try spool(directory, source).remove())
        }
    }

    @Test func whatWaitsIsFoundByAMountThatDoesNotSendIt() throws {
        try withTemporaryDirectory { directory in
            let source = "ftp://me@host:21/"
            #expect(SpoolDirectory.waiting(chosen: directory.path, of: source) == nil)
            let spool = try spool(directory, source)
            let journal = spool.path.appending("journal")
            let file = try FileDescriptor.open(journal, .writeOnly, options: .create, permissions: .ownerReadWrite)
            try file.close()
            #expect(SpoolDirectory.waiting(chosen: directory.path, of: source) == nil, "it is in use")
            #expect(!spool.remove())
            #expect(SpoolDirectory.waiting(chosen: directory.path, of: source) == spool.path)
        }
    }
}
