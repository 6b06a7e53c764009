import Testing

@testable import FTPMount

/// What mounts have left on the server, in a status.
@Suite("What is left on a server") struct LeftBehindTests {
    private static let status: MountStatus = {
        var status = MountStatus.example
        status.leftOvers = (1...7).map {
            MountStatus.LeftBehind(
                path: "/sub/.ftpfs-000000000000000\($0)-report", size: $0 == 2 ? nil : 1_000_000, modified: $0)
        }
        status.leftOverCount = 9
        status.leftOverBytes = 8_000_000
        return status
    }()

    @Test("is shown, with the remedy")
    func text() {
        let text = StatusText(style: .plain, clock: { "10:00:0\($0)" })
        #expect(
            text.leftOvers(Self.status).joined(separator: "\n") == """
                Left on the server: 9 temporary files, 8.0 MB
                  10:00:01     1.0 MB  /sub/.ftpfs-0000000000000001-report
                  10:00:02             /sub/.ftpfs-0000000000000002-report
                  10:00:03     1.0 MB  /sub/.ftpfs-0000000000000003-report
                  10:00:04     1.0 MB  /sub/.ftpfs-0000000000000004-report
                  10:00:05     1.0 MB  /sub/.ftpfs-0000000000000005-report
                  and 4 more files
                  ftpfs clean /mnt/ftp removes them
                """)
        #expect(text.text(of: Self.status).contains("\n\nLeft on the server: 9"))
        #expect(text.leftOvers(.example) == [])
    }

    @Test("goes through the socket unchanged")
    func json() {
        #expect(MountStatus(json: Self.status.json) == Self.status)
        #expect(Self.status.json["left_over_files"]?.integerValue == 9)
    }
}
