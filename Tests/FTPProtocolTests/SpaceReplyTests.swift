import FTPProtocol
import Testing

/// How much room there is, in the words of servers.
@Suite struct SpaceReplyTests {
    @Test(
        arguments: [
            ("1234567", 1_234_567), ("0", 0), (" 99 bytes available", 99), ("99 bytes", 99), ("", nil), ("-1", nil),
            ("99999999999999999999", nil),
        ] as [(String, UInt64?)])
    func available(_ text: String, _ expected: UInt64?) {
        #expect(SpaceReply.parseAvailable(bytes(text)) == expected)
    }

    /// As ProFTPD 1.3.8 says it.
    private func reply(_ line: String) -> Reply {
        let lines = [
            "The current quota for this session are [current/limit]:", "Name: me", " Quota Type: User",
            " Per Session: False", " Limit Type: Hard", line, "   Downloaded bytes:\tunlimited",
            "   Uploaded files:\t3/10", "Please contact root@127.0.0.1 if these entries are inaccurate",
        ]
        return Reply(code: 200, lines: lines.map { bytes($0) })
    }

    @Test(
        arguments: [
            ("   Uploaded bytes:\t1234567.00/100000000.00", 1_234_567, 100_000_000),
            ("   Uploaded Kb:\t0.00/1.50", 0, 1536), ("   Uploaded Mb:\t\t1.18/95.37", 1_237_319, 100_002_693),
            ("   Uploaded Gb:\t0.25/4.00", 268_435_456, 4_294_967_296), ("   Uploaded bytes:\t5/7", 5, 7),
        ] as [(String, UInt64, UInt64)])
    func quota(_ line: String, _ used: UInt64, _ limit: UInt64) throws {
        let quota = try #require(SpaceReply.parseQuota(reply(line)))
        #expect(quota.used == used)
        #expect(quota.limit == limit)
    }

    @Test(
        arguments: [
            "   Uploaded bytes:\tunlimited", "   Uploaded files:\t1/2", "   Uploaded Tb:\t1.00/2.00",
            "   Uploaded bytes:\t99999999999999999999.00/1.00", "   Uploaded Gb:\t1.00/9223372036854775807.00",
            "   Uploaded bytes:\t-1.00/5.00", "   Uploaded bytes:\t/", "",
        ])
    func noQuota(_ line: String) {
        #expect(SpaceReply.parseQuota(reply(line)) == nil)
    }
}
