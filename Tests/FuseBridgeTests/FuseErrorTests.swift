import SystemPackage
import Testing

@testable import FuseBridge

/// What libfuse and fusermount3 say becomes one cause with a remedy.
@Suite struct FuseErrorTests {
    static let path: FilePath = "/mnt/x"

    @Test(
        arguments: [
            (
                "fusermount3: option allow_other only allowed if 'user_allow_other' is set in /etc/fuse.conf\n",
                .allowOtherNotPermitted
            ),
            ("fuse: device not found, try 'modprobe fuse' first\n", .deviceMissing),
            ("fuse: failed to open /dev/fuse: Permission denied\n", .deviceNotPermitted),
            ("fuse: failed to exec fusermount3: No such file or directory\n", .fusermountMissing),
            (
                "fusermount3: too many FUSE filesystems mounted; mount_max=1 can be set in /etc/fuse.conf\n",
                .tooManyMounts
            ),
            ("fusermount3: user has no write access to mountpoint /mnt/x\n", .mountPointNotWritable(path)),
            ("fuse: mount failed: Device or resource busy\n", .mountPointUnusable(path, .resourceBusy)),
            ("fusermount3: unknown option 'frob'\n", .unknownOption("frob")),
            (
                "fusermount3: mount failed: Operation not permitted\n",
                .notPermitted("mount failed: Operation not permitted")
            ),
            ("fuse: something\nfusermount3: else\n", .mountFailed("something; else")),
            ("", .mountFailed("")),
        ] as [(String, FuseError)])
    func mounting(complaint: String, error: FuseError) {
        #expect(FuseError.mounting(on: Self.path, complaint: complaint) == error)
    }

    @Test(
        arguments: [
            ("fuse: unknown option(s): `-ofrob'\n", .unknownOption("frob")),
            ("fuse: unknown option(s): `-o frob'\n", .unknownOption("frob")),
            ("fuse: memory allocation failed\n", .sessionFailed("memory allocation failed")),
            ("", .sessionFailed("")),
        ] as [(String, FuseError)])
    func makingASession(complaint: String, error: FuseError) {
        #expect(FuseError.makingSession(complaint: complaint) == error)
    }

    @Test(arguments: [
        (FuseError.mountPointMissing("/mnt/a\nb"), "/mnt/a\\x0ab: the mount point does not exist; make it with mkdir"),
        (.allowOtherNotPermitted, "user_allow_other"),
        (.mountPointStale("/mnt/x"), "fusermount3 -u /mnt/x"),
        (.deviceMissing, "modprobe fuse"),
        (.fusermountMissing, "install the package fuse3"),
    ])
    func theSentenceHoldsTheRemedy(error: FuseError, part: String) {
        #expect(error.description.contains(part))
        #expect(!error.description.contains("\n"))
    }
}
