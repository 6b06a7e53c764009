import FTPClient
import Testing

@testable import FTPMount

/// `timeo`, `retrans`, `soft` and `hard`: for how long a request goes on.
struct DeadlineOptionTests {
    private func options(_ text: String) throws -> MountOptions {
        try MountOptions(parsing: [Array(text.utf8)], ignoringUnknown: false)
    }

    @Test(arguments: [
        ("rw", 2, 60), ("soft", 2, 60), ("retrans=0", 0, 0), ("retrans=5,timeout=2", 5, 10), ("timeo=15", 2, 3),
        ("hard,soft", 2, 60),
    ])
    func `soft: so many repeats, and as many time limits for a server that is down`(
        _ text: String, _ repeats: Int, _ seconds: Int
    ) throws {
        #expect(try options(text).endurance == Endurance(repeats: repeats, outage: .seconds(seconds)))
    }

    @Test func `hard: until it succeeds`() throws {
        #expect(try options("soft,hard,retrans=3").endurance == .hard)
    }

    @Test(arguments: ["retrans=-1", "retrans=101", "retrans=x", "timeo=9", "timeo=36001", "timeo=1.5"])
    func `what is out of range is refused`(_ text: String) {
        #expect(throws: MountOptions.Invalid.self) { try options(text) }
    }

    @Test func `a user that does not exist cannot serve a mount`() {
        #expect(throws: MountOptions.Invalid.self) { try options("setuid=no-such-user") }
    }

    @Test(arguments: ["suid", "dev"])
    func `is dropped: what would make a server's programs run as root`(_ text: String) throws {
        #expect(try options(text).kernelOptions.isEmpty)
    }
}
