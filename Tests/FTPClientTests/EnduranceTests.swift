import EmbeddedFTPServer
import FTPProtocol
import Testing
import Threading
import Vocabulary

@testable import FTPClient

/// Requests go on when a server falls silent, as far as the endurance allows.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct EnduranceTests {
    /// Below what a person notices, and far above what this machine needs for a reply.
    private static let short = ClientConfiguration.Timeouts.with {
        $0.reply = .seconds(1)
        $0.dataIdle = .seconds(1)
        $0.finalReply = .seconds(1)
    }

    private func served(
        _ endurance: Endurance, _ faults: FaultPlan, fill: (MemoryTree) -> Void = { _ in }
    ) throws -> Served {
        try Served(
            connections: 2, faults: faults, timeouts: Self.short, fill: fill, configure: { $0.endurance = endurance })
    }

    @Test func `a listing that stands still is asked for again`() throws {
        let served = try served(
            .init(repeats: 1, outage: .zero), FaultPlan([.nth(1, "MLSD", .stallData(afterBytes: 10))])
        ) { $0.add("f", text: "x") }
        #expect(try served.names() == ["f"])
    }

    @Test func `without endurance it is an error`() throws {
        let served = try served(.none, FaultPlan([.nth(1, "MLSD", .stallData(afterBytes: 10))])) {
            $0.add("f", text: "x")
        }
        #expect(throws: FTPError.timedOut(.dataTransfer)) { try served.names() }
    }

    @Test func `a read that stands still goes on at the same byte`() throws {
        let served = try served(
            .init(repeats: 1, outage: .zero), FaultPlan([.nth(1, "RETR", .stallData(afterBytes: 100_000))])
        ) { $0.addPattern("big", size: 1_000_000) }
        #expect(try served.readPattern("big") == 1_000_000)
        #expect(served.server.transcript.entries.contains { $0.line.hasPrefix("REST ") && $0.line != "REST 0" })
    }

    @Test(arguments: [
        ("MKD", "made"), ("DELE", "file"), ("RNTO", "moved"), ("RMD", "empty"),
    ])
    func `a change whose answer stays out is looked for, and made once`(_ verb: String, _ name: String) throws {
        let served = try served(.init(repeats: 2, outage: .zero), FaultPlan([.nth(1, verb, .hang)])) { tree in
            tree.add("file", text: "x")
            tree.addDirectory("empty")
        }
        let (client, cancellation) = (served.client, served.cancellation)
        switch verb {
        case "MKD": try client.makeDirectory(try remote(name), cancellation: cancellation)
        case "DELE": try client.removeFile(try remote(name), cancellation: cancellation)
        case "RMD": try client.removeDirectory(try remote(name), cancellation: cancellation)
        default: try client.rename(try remote("file"), to: try remote(name), cancellation: cancellation)
        }
        let names = Set(try served.names())
        #expect(names.contains(name) == (verb == "MKD" || verb == "RNTO"))
    }

    @Test func `a server that is started anew is waited for, by everybody, with few attempts`() throws {
        let served = try Served(connections: 4, timeouts: Self.short) { tree in
            for number in 0..<20 { tree.addPattern(ServerPath("f\(number)".utf8), size: 200_000) }
        } configure: {
            $0.endurance = Endurance(repeats: 2, outage: .seconds(30))
        }
        _ = try served.names()
        served.server.stop()
        let reads = try (0..<20).map { number in try Pending { try served.readPattern("f\(number)") } }
        let again = try EmbeddedFTPServer(
            .init(
                storage: .memory(served.tree), users: ["anonymous": ""], dialect: .proftpd, faults: .none,
                address: "127.0.0.1", port: served.server.port))
        try again.start()
        defer { again.stop() }
        for read in reads { #expect(try read.value() == 200_000) }
    }

    @Test func `an interrupt ends the waiting for a server that is down`() throws {
        let served = try Served(connections: 1, timeouts: Self.short, configure: { $0.endurance = .hard })
        _ = try served.names()
        served.server.stop()
        let cancellation = Cancellation()
        let waiting = try Pending { () -> Bool in
            do throws(FTPError) {
                _ = try served.client.list(.root, cancellation: cancellation)
                return false
            } catch {
                return error == .cancelled
            }
        }
        cancellation.cancel()
        #expect(try waiting.value())
    }
}
