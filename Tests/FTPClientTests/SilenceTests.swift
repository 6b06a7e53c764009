import EmbeddedFTPServer
@preconcurrency import Glibc
import Testing
import Threading

@testable import FTPClient

/// A server that falls silent is waited for by the limit that belongs to what it was asked, and by no other one.
///
/// Each row makes that one limit short and leaves all the others at an hour, so that the request comes back at all only by
/// that limit; no time is measured.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct SilenceTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let phase: FTPError.Phase
        let limit: @Sendable (inout ClientConfiguration.Timeouts, Duration) -> Void
        /// Where the server falls silent, and how.
        var verb: String?
        var effect = FaultPlan.Effect.hang
        var action = Action.list
        /// Whether it is no error: every byte is there, and the server is asked whether an upload is.
        var isSettled = false
        var pipelining = ClientConfiguration.Pipelining.off

        var testDescription: String { "\(phase)" }
        var faults: FaultPlan { FaultPlan(verb.map { [.every($0, effect)] } ?? []) }
    }

    enum Action: Sendable {
        case list, read, write
        /// Lists with a server whose port takes no connection.
        case connect

        func run(_ served: Served) throws {
            switch self {
            case .list, .connect: _ = try served.names()
            case .read: #expect(try served.readPattern("f") == 100_000)
            case .write: try served.write([1, 2, 3], to: "new")
            }
        }
    }

    static let rows: [Row] = [
        Row(phase: .connecting, limit: { $0.connect = $1 }, action: .connect),
        Row(phase: .connecting, limit: { $0.establish = $1 }, action: .connect),
        Row(phase: .greeting, limit: { $0.reply = $1 }, verb: FaultPlan.greeting),
        Row(phase: .greeting, limit: { $0.establish = $1 }, verb: FaultPlan.greeting),
        Row(phase: .login, limit: { $0.establish = $1 }, verb: "USER"),
        Row(phase: .reply(verb: "PASS"), limit: { $0.establish = $1 }, verb: "PASS", pipelining: .automatic),
        Row(phase: .reply(verb: "EPSV"), limit: { $0.reply = $1 }, verb: "EPSV"),
        Row(phase: .dataTransfer, limit: { $0.dataIdle = $1 }, verb: "MLSD", effect: .stallData(afterBytes: 5)),
        Row(
            phase: .dataTransfer, limit: { $0.dataIdle = $1 }, verb: "RETR", effect: .stallData(afterBytes: 1000),
            action: .read),
        Row(
            phase: .finalReply, limit: { $0.downloadReply = $1 }, verb: "RETR", effect: .noFinalReply,
            action: .read, isSettled: true),
        Row(
            phase: .finalReply, limit: { $0.finalReply = $1 }, verb: "STOR", effect: .noFinalReply, action: .write,
            isSettled: true),
    ]

    private static let short = Duration.milliseconds(300)
    private static let long = Duration.seconds(3600)
    /// Nothing ends by itself.
    private static let patient = ClientConfiguration.Timeouts.with {
        $0.resolve = Self.long
        $0.connect = Self.long
        $0.establish = Self.long
        $0.reply = Self.long
        $0.firstDataConnect = Self.long
        $0.dataConnect = Self.long
        $0.dataIdle = Self.long
        $0.finalReply = Self.long
        $0.downloadReply = Self.long
    }

    @Test(arguments: rows)
    func `each wait ends by its own limit`(_ row: Row) throws {
        var timeouts = Self.patient
        row.limit(&timeouts, Self.short)
        let deaf = try DeafPort()
        let served = try Served(connections: 1, faults: row.faults, timeouts: timeouts) { tree in
            tree.addPattern("f", size: 100_000)
        } configure: {
            $0.pipelining = row.pipelining
            if case .connect = row.action { $0.port = deaf.port }
        }
        var error: FTPError?
        do {
            try row.action.run(served)
        } catch let thrown as FTPError {
            error = thrown
        }
        #expect(error == (row.isSettled ? nil : .timedOut(row.phase)))
    }

    @Test(arguments: rows)
    func `each wait ends at once when nobody wants the answer any more`(_ row: Row) throws {
        let deaf = try DeafPort()
        let served = try Served(connections: 1, faults: row.faults, timeouts: Self.patient) { tree in
            tree.addPattern("f", size: 100_000)
        } configure: {
            $0.pipelining = row.pipelining
            if case .connect = row.action { $0.port = deaf.port }
        }
        let waiting = try Pending { () -> FTPError? in
            do {
                try row.action.run(served)
                return nil
            } catch {
                return error as? FTPError
            }
        }
        if let verb = row.verb {
            let isAsked = served.server.wait(until: .after(.seconds(30))) { transcript in
                verb == FaultPlan.greeting || transcript.verbs.contains(verb)
            }
            #expect(isAsked)
        }
        served.cancellation.cancel()
        #expect(try waiting.value() == .cancelled)
    }
}

/// A port of this machine that neither takes nor refuses connections: its queue is full.
private final class DeafPort {
    let port: UInt16
    private var sockets: [Int32] = []

    init() throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        inet_pton(AF_INET, "127.0.0.1", &address.sin_addr)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(listener, pointer, length) == 0 && listen(listener, 0) == 0
                    && getsockname(listener, pointer, &length) == 0
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        sockets = [listener]
        try #require(isBound)
        // Linux takes one more than the backlog; what comes behind is dropped (listen(2), tcp(7)).
        for _ in 0..<4 {
            let filler = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
            _ = withUnsafePointer(to: address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(filler, $0, length) }
            }
            sockets.append(filler)
        }
    }

    deinit { for socket in sockets { close(socket) } }
}
