import FTPClient
import Testing

@testable import FTPMount

/// What passes between the process that waits and the one that mounts.
@Suite("The handover")
struct HandoverTests {
    private func plan(_ url: String, _ options: String) throws -> MountPlan {
        var plan: MountPlan?
        try withTemporaryDirectory { directory in
            plan = try MountPlan(
                checking: MountRequest(
                    program: "mount.ftpfs", source: url, mountPoint: directory.path, optionTexts: [Array(options.utf8)])
            )
        }
        return try #require(plan)
    }

    @Test("keeps every setting, and the credentials")
    func roundTrip() throws {
        let plan = try plan("ftp://me:pw@h:2121/%2Fd%E9/e", #"uid=7,ro,log_file="/a,b",dir_ttl=1.5,nosuid,password=x"#)
        let credentials = Credentials(user: [0xFF, 0x41], password: Secret([0x00, 0xFE]))
        let record = SettingsRecord(plan: plan, credentials: credentials)

        let read = try #require(SettingsRecord(decoding: record.encoded))
        let again = try MountPlan(trusting: read)

        #expect(again.program == "mount.ftpfs")
        #expect(again.mountPoint == plan.mountPoint)
        #expect(again.address.directory == plan.address.directory)
        #expect(again.place == "h:2121")
        #expect(again.options.userID == 7)
        #expect(again.options.isReadOnly)
        #expect(again.options.logFile == "/a,b")
        #expect(again.options.directoryTimeToLive == .milliseconds(1500))
        #expect(again.options.kernelOptions == ["nosuid"])
        #expect(read.credentials.user == credentials.user)
        #expect(read.credentials.password.bytes == credentials.password.bytes)
    }

    @Test("shows no password when it is printed")
    func silence() throws {
        let plan = try plan("ftp://me:hunter2@h/", "password=hunter2")
        let record = SettingsRecord(
            plan: plan, credentials: Credentials(user: [0x41], password: Secret("hunter2")))
        var dumped = ""
        dump(record, to: &dumped)
        dump(plan, to: &dumped)

        #expect(!"\(record) \(plan)".contains("hunter2"))
        #expect(!dumped.contains("hunter2"))
        #expect(!record.source.contains("hunter2"))
        #expect(!record.optionTexts.contains { String(decoding: $0, as: UTF8.self).contains("hunter2") })
    }

    @Test("refuses what is not a record")
    func garbage() throws {
        let record = SettingsRecord(
            plan: try plan("ftp://h/", ""), credentials: Credentials(user: [], password: Secret([UInt8]())))
        for count in 0..<record.encoded.count {
            #expect(SettingsRecord(decoding: Array(record.encoded[..<count])) == nil)
        }
        #expect(SettingsRecord(decoding: [0xFF, 0xFF, 0xFF, 0xFF, 0]) == nil)
    }

    @Test("of the outcome keeps code and line")
    func status() {
        let failure = MountFailure(.mountFailed, "h: login incorrect", remedy: "check the password")

        #expect(StatusReport.decoded(StatusReport.encoded(.ready)) == .ready)
        #expect(StatusReport.decoded(StatusReport.encoded(.failed(failure))) == .failed(failure))
        #expect(StatusReport.decoded([]) == nil)
        #expect(StatusReport.decoded([77]) == nil)
    }
}
