import Testing

@testable import FTPMount

/// What the status of a mount says during an outage.
@Suite("The status in an outage")
struct StatusOutageTests {
    private static var broken: MountStatus {
        var status = MountStatus.example
        status.outage = .init(
            span: 95, attempts: 7, reason: "cannot connect to h: Connection refused; check the host", nextAttempt: 4,
            patience: 25)
        status.requestCount = 3
        status.requests = [
            .init(operation: "read", process: 4242, program: "cp", age: 93),
            .init(operation: "lookup", process: 7, program: nil, age: 12),
            .init(operation: "getattr", process: 8, program: "ls", age: 0),
        ]
        return status
    }

    private func text(_ status: MountStatus) -> String {
        StatusText(style: .plain, clock: { "10:00:0\($0)" }).text(of: status)
    }

    @Test("says first that the server cannot be reached, why, and what happens next")
    func outage() {
        let text = text(Self.broken)
        #expect(
            text.contains(
                """

                The server has not been reachable for 1 min 35 s (7 attempts)
                  cannot connect to h: Connection refused; check the host
                  the next attempt in 4 s; requests fail in 25 s

                Server
                """), "\(text)")
    }

    @Test("names the programs that wait for longer than usual")
    func requests() {
        let text = text(Self.broken)
        #expect(
            text.contains(
                """

                Requests: 3 without an answer, the oldest for 1 min 33 s
                  read     1 min 33 s  cp (4242)
                  lookup         12 s  process 7

                """), "\(text)")
    }

    @Test(
        "says what becomes of requests",
        arguments: [
            (nil as Int64?, nil as Int64?, "\n  requests wait until it works\n"),
            (0, 8, "\n  the next attempt in 8 s; requests fail until it works\n"),
        ])
    func patience(_ patience: Int64?, _ next: Int64?, _ line: String) {
        var status = Self.broken
        status.outage?.patience = patience
        status.outage?.nextAttempt = next
        #expect(text(status).contains(line), "\(text(status))")
    }

    @Test("says nothing of it when all is well, or while requests are young")
    func quiet() {
        var status = MountStatus.example
        status.requestCount = 1
        status.requests = [.init(operation: "read", process: 1, program: "cp", age: 1)]
        #expect(text(status) == text(.example))
    }

    @Test("fits into 80 columns")
    func narrow() {
        var status = Self.broken
        status.outage?.reason = String(repeating: "word ", count: 60)
        status.requests[0].program = String(repeating: "x", count: 200)
        for line in text(status).split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("is the same behind the socket")
    func json() {
        #expect(MountStatus(json: Self.broken.json) == Self.broken)
        #expect(MountStatus(json: MountStatus.example.json)?.outage == nil)
    }

    @Test("is there for Prometheus")
    func metrics() {
        let text = StatusMetrics.text(of: [Self.broken, .example])
        #expect(text.contains("ftpfs_outage_seconds{mount_point=\"/mnt/ftp\"} 95\n"))
        #expect(text.contains("ftpfs_outage_seconds{mount_point=\"/mnt/ftp\"} 0\n"))
        #expect(text.contains("ftpfs_unanswered_requests{mount_point=\"/mnt/ftp\"} 3\n"))
    }
}
