import Testing

@testable import FuseBridge

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

@Suite struct OpenDescriptorsTests {
    @Test func `a process is seen to hold a file as long as it does`() throws {
        var template = Array("/tmp/ftpfs-held-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        try #require(file >= 0)
        unlink(template)
        let other = dup(file)
        var status = stat()
        #expect(fstat(file, &status) == 0)
        let inode = UInt64(status.st_ino)
        // The number is in there since Linux 5.14; without it nothing is seen, and each close counts.
        let isTold = OpenDescriptors.hold(inode, process: getpid())
        close(file)
        #expect(OpenDescriptors.hold(inode, process: getpid()) == isTold)
        close(other)
        #expect(!OpenDescriptors.hold(inode, process: getpid()))
        #expect(!OpenDescriptors.hold(inode, process: 0))
    }

    @Test(arguments: [
        ("pos:\t0\nflags:\t0100002\nmnt_id:\t29\nino:\t4711\n", UInt64?(4711)),
        ("pos:\t0\nflags:\t0100002\nmnt_id:\t29\n", nil), ("ino:\tx\n", nil), ("", nil),
        ("ino:\t18446744073709551615\nlock:\t1\n", .max),
    ])
    func `the number is in the text`(text: String, number: UInt64?) {
        #expect(OpenDescriptors.inodeNumber(in: Array(text.utf8)[...]) == number)
    }
}
