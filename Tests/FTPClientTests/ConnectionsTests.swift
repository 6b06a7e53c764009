import EmbeddedFTPServer
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// How the client gets along with few connections, and with a server that gives it fewer than it may have.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct ConnectionsTests {
    // MARK: One connection

    @Test func withOneConnectionAnIdleStreamYieldsAndGoesOn() throws {
        let served = try Served(connections: 1) { tree in
            tree.addPattern("big", size: 3_000_000)
            tree.add("other", text: "x")
        }
        let stream = try served.reader("big")
        var position = Int64(try served.readSome(stream, at: 0))
        #expect(try served.names() == ["big", "other"])
        position += Int64(try served.readSome(stream, at: position))
        _ = try served.client.status(of: try remote("other"), cancellation: served.cancellation)
        position += try served.drain(stream, from: position)
        #expect(position == 3_000_000)
        #expect(served.server.transcript.connections == 1)
    }

    @Test func withOneConnectionTwoReadersTakeTurns() throws {
        let served = try Served(connections: 1) { tree in
            tree.addPattern("a", size: 2_000_000)
            tree.addPattern("b", size: 2_000_000)
        }
        let readers = try ["a", "b"].map { name in try Pending { try served.readPattern(name, piece: 10_000) } }
        for reader in readers { #expect(try reader.value() == 2_000_000) }
        #expect(served.server.transcript.connections == 1)
    }

    @Test func withOneConnectionAListingWaitsForAnUpload() throws {
        let served = try Served(connections: 1)
        let stream = try served.client.openWrite(try remote("up"), .replace, cancellation: served.cancellation)
        let listing = try Pending { try served.names() }
        try withLocalFile(Array("hello".utf8)) { file in
            try stream.send(from: file, range: 0..<5, cancellation: served.cancellation)
        }
        #expect(!listing.isDone)
        try stream.finish(cancellation: served.cancellation)
        #expect(try listing.value() == ["up"])
    }

    @Test func withOneConnectionAStuckTransferDoesNotHoldUpAListing() throws {
        let served = try Served(
            connections: 1, faults: FaultPlan([.nth(1, "RETR", .stallData(afterBytes: 1000))])
        ) { $0.addPattern("big", size: 1_000_000) }
        let reading = try Pending { try served.readPattern("big") }
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.bytesSent >= 1000 })
        #expect(try served.names() == ["big"])
        // And the reader is taken up again afterwards, where the server does not stall any more.
        #expect(try reading.value() == 1_000_000)
    }

    @Test func withOneConnectionManyThreadsAllGetTheirTurn() throws {
        let served = try Served(connections: 1) { tree in
            for number in 0..<4 { tree.addPattern(ServerPath("f\(number)".utf8), size: 300_000) }
        }
        try runEverythingAtOnce(served)
        #expect(served.server.transcript.connections == 1)
    }

    @Test func withFourConnectionsManyThreadsAllGetTheirTurn() throws {
        let served = try Served(.vsftpd, connections: 4) { tree in
            for number in 0..<4 { tree.addPattern(ServerPath("f\(number)".utf8), size: 300_000) }
        }
        try runEverythingAtOnce(served)
        #expect(served.server.transcript.connections <= 4)
    }

    private func runEverythingAtOnce(_ served: Served) throws {
        var all: [Pending<Bool>] = []
        for number in 0..<4 {
            all.append(
                try Pending { try (0..<3).allSatisfy { _ in try served.readPattern("f\(number)") == 300_000 } })
            all.append(try Pending { try (0..<20).allSatisfy { _ in try served.names().contains("f\(number)") } })
            all.append(
                try Pending {
                    let bytes = [UInt8](repeating: UInt8(number), count: 100_000)
                    for round in 0..<3 { try served.write(bytes, to: "w\(number)-\(round)") }
                    return true
                })
        }
        for pending in all { #expect(try pending.value()) }
        for number in 0..<4 {
            #expect(served.tree.contents(of: ServerPath("w\(number)-2".utf8))?.count == 100_000)
        }
    }

    // MARK: How many connections

    @Test(arguments: [Dialect.vsftpd, .proftpd])
    func theServersLimitIsLearnedWithoutAnError(_ dialect: Dialect) throws {
        let served = try Served(dialect, connections: 4, maximumConnections: 1) { $0.add("f", text: "x") }
        _ = try served.names()
        let upload = try served.client.openWrite(try remote("up"), .replace, cancellation: served.cancellation)
        let listings = try (0..<3).map { _ in try Pending { try served.names() } }
        // The first attempts show that there is no room.
        try #require(served.server.wait(until: .after(.seconds(10))) { $0.connections >= 2 })
        try upload.finish(cancellation: served.cancellation)
        for listing in listings { #expect(try listing.value() == ["f", "up"]) }
        #expect(served.server.transcript.connections <= 4)
    }

    @Test func furtherConnectionsServeWhileATransferRuns() throws {
        let served = try Served(connections: 2) { $0.add("f", text: "x") }
        let upload = try served.client.openWrite(try remote("up"), .replace, cancellation: served.cancellation)
        #expect(try served.names() == ["f", "up"])
        #expect(served.server.openConnections == 2)
        upload.abort()
    }
}
