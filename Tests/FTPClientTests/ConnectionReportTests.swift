import EmbeddedFTPServer
import FTPProtocol
@preconcurrency import Glibc
import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// What others can see of the connections while they are in use.
@Suite(.serialized, .timeLimit(.minutes(1)))
struct ConnectionReportTests {
    @Test func anUploadAndADownloadAreSeenWithWhatTheyHaveMoved() throws {
        let served = try Served(connections: 4) { $0.addPattern("big", size: 3_000_000) }
        #expect(served.client.connections() == [])
        let reading = try served.reader("big")
        let count = try served.readSome(reading, at: 0)
        let writing = try served.client.openWrite(try remote("up"), .replace, cancellation: served.cancellation)
        try withLocalFile([UInt8](repeating: 7, count: 5000)) { file in
            try writing.send(from: file, range: 0..<5000, cancellation: served.cancellation)
        }

        let reports = served.client.connections()

        #expect(reports.map(\.state) == [.reading, .writing])
        #expect(reports.map { $0.path.map { String(decoding: $0, as: UTF8.self) } } == ["/big", "/up"])
        #expect(reports.map(\.bytes) == [Int64(count), 5000])
        #expect(reports.map(\.total) == [3_000_000, nil])
        #expect(reports.allSatisfy { $0.peer == "127.0.0.1:\(served.server.port)" && $0.encryption == nil })
        let report = served.client.report
        #expect(report.received == Int64(count) && report.sent == 5000)

        try writing.finish(cancellation: served.cancellation)
        reading.close()
        // The pool brings the one that was broken off back to order by itself.
        let deadline = Deadline.after(.seconds(10))
        while served.client.connections().contains(where: { $0.state != .idle }), !deadline.hasPassed { usleep(1000) }
        #expect(served.client.connections().map(\.state).allSatisfy { $0 == .idle })
        #expect(served.client.connections().allSatisfy { $0.path == nil && $0.bytes == 0 })
    }

    @Test func theServerIsDescribedByWhatItHasSaid() throws {
        let served = try Served(.vsftpd)
        #expect(served.client.report.greeting == nil)
        _ = try served.names()
        let report = served.client.report
        #expect(report.greeting?.contains("vsFTPd") == true)
        #expect(report.features.contains("EPSV"))
        #expect(report.listingCommand.hasPrefix("LIST"))
        #expect(report.dataCommand == "EPSV")
        #expect(report.connectionLimit == 4 && report.waiting == 0)
    }

    @Test func whoeverWaitsForAConnectionIsCounted() throws {
        let served = try Served(connections: 1)
        let writing = try served.client.openWrite(try remote("up"), .replace, cancellation: served.cancellation)
        let listing = try Pending { try served.names() }
        let deadline = Deadline.after(.seconds(10))
        while served.client.report.waiting == 0, !deadline.hasPassed { usleep(1000) }
        #expect(served.client.report.waiting == 1)
        try writing.finish(cancellation: served.cancellation)
        #expect(try listing.value() == ["up"])
    }

    @Test func noSecretIsKept() throws {
        let activity = ConnectionActivity(.standardInput)
        activity.began(Command("PASS", "hunter2"))
        #expect(activity.snapshot.notes.command?.argument == nil)
        #expect(activity.snapshot.notes.command?.description == "PASS")
    }
}
