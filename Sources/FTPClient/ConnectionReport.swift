import FTPProtocol
import Threading
import Vocabulary

/// What one connection to the server is doing; a copy, out of date as soon as it is made.
package struct ConnectionReport: Hashable, Sendable {
    /// What a connection is used for.
    package enum State: String, Hashable, Sendable, CaseIterable {
        /// Being connected, or logging in.
        case connecting
        /// Nobody needs it.
        case idle
        /// A directory is being listed.
        case listing
        /// Another question, or a change of a name.
        case asking
        /// A file is being read.
        case reading
        /// A file is being written.
        case writing
        /// It is brought back to order, or kept alive.
        case recovering
    }

    /// The encryption of a control connection.
    package struct Encryption: Hashable, Sendable {
        package let version: TLSSettings.Version
        package let cipher: String
    }

    /// The number that it has in the log.
    package let id: Int
    package let state: State
    /// How long it has been in use, or out of use; `nil` while that is not known.
    package let age: Duration?
    /// Whether it works for somebody who has not asked yet.
    package let isAhead: Bool
    /// The last command as the log shows it, without secrets.
    package let command: String?
    /// How long ago that was sent.
    package let commandAge: Duration?
    /// The argument of a transfer command: the path on the server, as bytes.
    package let path: [UInt8]?
    /// How many bytes the transfer has moved.
    package let bytes: Int64
    /// How many it is to move, where that is known.
    package let total: Int64?
    /// The address and the port of the other end: the server's, or the proxy's.
    package let peer: String?
    package let encryption: Encryption?
}

extension ConnectionReport {
    /// The commands that move data.
    private static let listings: Set<String> = ["MLSD", "LIST", "NLST", "STAT"]
    private static let transfers: Set<String> = ["RETR", "STOR", "APPE", "STOU"]

    /// - Parameter activity: `nil` while there is no session yet.
    init(_ connection: PoolStateMachine.Connection, _ activity: ConnectionActivity?, at now: Instant) {
        let (notes, moved) = activity?.snapshot ?? (nil, 0)
        let verb = notes?.command?.verb
        id = connection.id
        isAhead = connection.isAhead
        switch connection.use {
        case .opening: (state, age) = (.connecting, nil)
        case .serviced: (state, age) = (.recovering, nil)
        case .idle(let since): (state, age) = (.idle, now.since(since))
        case .leased(let work, let since, _):
            age = now.since(since)
            switch work {
            // A stream that gives its connection up when others want it is leased for reading, also an upload.
            case .reading, .writing:
                state = verb == "STOR" || verb == "APPE" ? .writing : work == .writing ? .writing : .reading
            case .metadata: state = verb.map(Self.listings.contains) == true ? .listing : .asking
            }
        }
        let isTransfer = verb.map(Self.transfers.contains) == true && (state == .reading || state == .writing)
        command = notes?.command?.description
        commandAge = notes.map { now.since($0.since) }
        path = isTransfer ? notes?.command?.argument : nil
        bytes = isTransfer ? moved : 0
        total = isTransfer ? notes?.expected.map { max(0, $0.size - $0.offset) } : nil
        peer = activity?.peer.map { "\($0)".contains(":") ? "[\($0)]:\($0.port)" : "\($0):\($0.port)" }
        encryption = notes?.tls
    }
}

/// What is known of a server, and what has passed between it and this client; a copy.
package struct ServerReport: Hashable, Sendable {
    /// The first line of the greeting that says something, made fit for a terminal; `nil` before the first connection.
    package let greeting: String?
    /// What the server says it can do (`FEAT`, RFC 2389).
    package let features: [String]
    /// The command that lists directories.
    package let listingCommand: String
    /// The command by which data connections are made; `nil` while none has been.
    package let dataCommand: String?
    /// What was last seen of TLS.
    package let tls: TLSObservation?
    /// How many connections there may be.
    package let connectionLimit: Int
    /// How many requests wait for a connection.
    package let waiting: Int
    /// Bytes of files that have come from the server and gone there since the beginning.
    package let received: Int64
    package let sent: Int64
}

extension Client {
    /// What each connection does now, oldest first. Sends nothing; blocks for no longer than a look takes.
    package func connections() -> [ConnectionReport] { pool.report().connections }

    /// What is known of the server. Sends nothing; blocks for no longer than a look takes.
    package var report: ServerReport {
        let known = server.known
        let listing =
            switch known.listings.method {
            case .machine: "MLSD"
            case .listAll: "LIST -a"
            case .list: "LIST"
            }
        let proven = DataMethod.allCases.first { known.dataMethods.standing(of: $0) == .proven }
        return ServerReport(
            greeting: known.greeting.isEmpty ? nil : printable(known.greeting),
            features: known.features?.labels ?? [], listingCommand: listing, dataCommand: proven?.rawValue,
            tls: known.tls.observed, connectionLimit: server.configuration.connections, waiting: pool.report().waiting,
            received: server.totals.received, sent: server.totals.sent)
    }
}
