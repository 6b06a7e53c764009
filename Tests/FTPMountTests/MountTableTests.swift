import Testing

@testable import FTPMount

/// /proc/self/mountinfo, and which mount a path belongs to.
@Suite("The table of mounts")
struct MountTableTests {
    private let table = MountTable(
        Array(
            """
            22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/root rw
            30 22 0:50 / /mnt/ftp rw,nosuid shared:9 - fuse.ftpfs ftp://a.example/ rw,user_id=1000,group_id=1000
            31 30 0:51 / /mnt/ftp/sub/tmp rw - tmpfs none rw
            32 22 0:50 / /srv/bind rw - fuse.ftpfs ftp://a.example/ rw,user_id=1000,group_id=1000
            33 22 0:50 /deep/er /srv/part rw - fuse.ftpfs ftp://a.example/ rw,user_id=1000,group_id=1000
            34 22 0:52 / /mnt/with\\040blank\\134 rw - autofs systemd-1 rw
            35 34 0:53 / /mnt/with\\040blank\\134 rw - fuse.ftpfs ftp://b.example/x\\040y rw,user_id=0,allow_other
            36 22 0:54 / /mnt/ftpx rw - fuse.sshfs b: rw,user_id=0
            38 22 0:56 / /mnt/mounted ro,nosuid - fuse.sshfs c: ro,user_id=0
            39 22 0:57 / /mnt/bound ro - fuse.sshfs d: rw,user_id=0
            garbage
            37 22 0:55

            """.utf8))

    @Test("knows our own mounts, each once, with their owner")
    func own() {
        #expect(table.own.map(\.mountPoint) == ["/mnt/ftp", #"/mnt/with blank\"#])
        #expect(table.own.map(\.owner) == [1000, 0])
        #expect(table.own.map(\.source) == ["ftp://a.example/", "ftp://b.example/x y"])
        #expect(table.own.map { table.mountPoints(of: $0) } == [["/mnt/ftp", "/srv/bind"], [#"/mnt/with blank\"#]])
    }

    @Test("tells what is on top at a place")
    func type() {
        #expect(table.type(at: "/mnt/ftp") == "fuse.ftpfs")
        #expect(table.type(at: #"/mnt/with blank\"#) == "fuse.ftpfs")
        #expect(table.type(at: "/mnt/ftp/") == nil)
    }

    @Test("tells what cannot be changed: mounted, remounted or bound so")
    func readOnly() {
        #expect(table.entries.filter(\.isReadOnly).map(\.mountPoint) == ["/mnt/mounted", "/mnt/bound"])
    }

    @Test(
        "finds the mount that a path belongs to",
        arguments: [
            ("/mnt/ftp", "/mnt/ftp"), ("/mnt/ftp/a/b", "/mnt/ftp"), ("/mnt/ftpx", "/mnt/ftpx"), ("/mnt/ftpy", "/"),
            ("/mnt/ftp/sub", "/mnt/ftp"), ("/mnt/ftp/sub/tmp/x", "/mnt/ftp/sub/tmp"), ("/srv/part/x", "/srv/part"),
            ("/", "/"),
        ])
    func containing(_ path: String, _ mountPoint: String) {
        #expect(table.mount(containing: path)?.mountPoint == mountPoint)
    }
}
