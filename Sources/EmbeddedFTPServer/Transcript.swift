internal import Vocabulary

/// What clients have said to the server and what it answered, at one moment: a value, it does not change afterwards.
package struct Transcript: Sendable {
    /// One command of one client.
    package struct Entry: Sendable, CustomStringConvertible {
        /// Counts all commands of the server, from 0.
        package let number: Int
        /// Which control connection, from 1.
        package let connection: Int
        /// In capitals.
        package let verb: String
        /// What stood behind the verb; `****` for PASS and ACCT. `nil` when nothing did.
        package let argument: [UInt8]?
        /// The codes of the replies, in order. Empty while there is none.
        package fileprivate(set) var replies: [UInt16] = []

        /// The line as a log shows it: `RETR a.txt`.
        package var line: String { argument.map { "\(verb) \(printable($0))" } ?? verb }

        /// For failed expectations: `#1 RETR a.txt -> 150 226`.
        package var description: String {
            "#\(connection) \(line) -> \(replies.map(String.init).joined(separator: " "))"
        }
    }

    /// Whose TLS session a connection has resumed.
    package enum Resumption: Hashable, Sendable {
        /// Nobody's: a full handshake.
        case none
        /// One of its own control connection, be it that connection's or one of its data connections'.
        case sameConnection
        /// One of another control connection.
        case otherConnection
    }

    /// How a connection was protected: a data connection that has ended, or a control connection behind its handshake.
    package struct Protection: Hashable, Sendable, CustomStringConvertible {
        /// Which control connection, from 1.
        package let connection: Int
        /// The command that the data connection was for; `nil`: it is the control connection.
        package let verb: String?
        /// `nil`: there was no TLS, or the handshake has failed.
        package let version: TLSPolicy.Version?
        /// Whose session was resumed.
        package let resumption: Resumption
        /// Whether the client's close_notify was read; looked for at the end of uploads, and at that of downloads if
        /// ``TLSPolicy/requiresCloseNotifyOfDownloads``.
        package let gotCloseNotify: Bool
        /// Why the handshake, or what came after it, failed.
        package let failure: TLSFailure?

        /// For failed expectations: `#1 RETR TLSv1.3 sameConnection`.
        package var description: String {
            let notes = [
                "\(version.map { $0.rawValue } ?? "clear")", "\(resumption)", gotCloseNotify ? "close_notify" : nil,
                failure?.description,
            ]
            return "#\(connection) \(verb ?? "control") \(notes.compactMap { $0 }.joined(separator: " "))"
        }
    }

    /// A point in time to look back to with ``Transcript/since(_:)``.
    package struct Mark: Sendable {
        fileprivate let number: Int
        fileprivate let counters: Counters
    }

    fileprivate struct Counters: Sendable {
        var bytesSent: Int64 = 0
        var bytesReceived: Int64 = 0
        var dataConnections = 0
        var connections = 0
        var protections = 0
    }

    /// The commands in the order in which they arrived. Only the youngest are kept:
    /// ``EmbeddedFTPServer/Configuration/transcriptCapacity``.
    package private(set) var entries: [Entry] = []
    /// The control connections behind their handshakes, and the data connections that have ended, in that order. A data
    /// connection is noted before its final reply. The youngest, as many as ``entries``.
    package private(set) var protections: [Protection] = []
    private var next = 0
    private var counters = Counters()
    private let capacity: Int

    init(capacity: Int) {
        self.capacity = max(0, capacity)
    }

    /// Bytes that went out on data connections; exact when the final reply has come. What a client that hung up did not
    /// fetch may be among them: see ``EmbeddedFTPServer/Configuration/dataSendBuffer``.
    package var bytesSent: Int64 { counters.bytesSent }
    /// Bytes that came in on data connections.
    package var bytesReceived: Int64 { counters.bytesReceived }
    /// Data connections that were made.
    package var dataConnections: Int { counters.dataConnections }
    /// Control connections that were accepted, also those that were turned away.
    package var connections: Int { counters.connections }

    /// The present end.
    package var mark: Mark { Mark(number: next, counters: counters) }

    /// What came after `mark`.
    package func since(_ mark: Mark) -> Transcript {
        var later = self
        later.entries.removeAll { $0.number < mark.number }
        let count = counters.protections - mark.counters.protections
        later.protections.removeFirst(max(0, later.protections.count - count))
        later.counters.bytesSent -= mark.counters.bytesSent
        later.counters.bytesReceived -= mark.counters.bytesReceived
        later.counters.dataConnections -= mark.counters.dataConnections
        later.counters.connections -= mark.counters.connections
        return later
    }

    /// How often a verb came (in capitals).
    package func count(of verb: String) -> Int {
        entries.count { $0.verb == verb }
    }

    /// How many commands came.
    package var count: Int { entries.count }

    /// The lines of one control connection, in order.
    package func commands(on connection: Int) -> [String] {
        entries.filter { $0.connection == connection }.map(\.line)
    }

    /// How the data connections were protected, in the order in which they ended.
    package var dataProtections: [Protection] { protections.filter { $0.verb != nil } }

    /// The verbs, in order.
    package var verbs: [String] { entries.map(\.verb) }

    // MARK: Written by the server

    /// Notes a command.
    ///
    /// - Returns: its number, for ``noteReply(_:to:)``.
    mutating func note(_ verb: String, _ argument: [UInt8]?, connection: Int) -> Int {
        let number = next
        next += 1
        entries.append(Entry(number: number, connection: connection, verb: verb, argument: argument))
        // Cut in blocks, so that each command costs the same on average.
        if entries.count > 2 * capacity { entries.removeFirst(entries.count - capacity) }
        return number
    }

    /// Notes a reply to a command; nothing if the command is forgotten already.
    mutating func noteReply(_ code: UInt16, to number: Int) {
        guard let first = entries.first?.number, number >= first, number - first < entries.count else { return }
        entries[number - first].replies.append(code)
    }

    mutating func note(_ protection: Protection) {
        counters.protections += 1
        protections.append(protection)
        if protections.count > 2 * capacity { protections.removeFirst(protections.count - capacity) }
    }

    mutating func noteConnection() { counters.connections += 1 }
    mutating func noteDataConnection() { counters.dataConnections += 1 }
    mutating func noteBytes(sent: Int64 = 0, received: Int64 = 0) {
        counters.bytesSent &+= sent
        counters.bytesReceived &+= received
    }
}

extension Transcript: CustomStringConvertible {
    /// One command per line.
    package var description: String { entries.map(\.description).joined(separator: "\n") }
}
