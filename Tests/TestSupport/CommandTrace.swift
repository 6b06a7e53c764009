/// What ftpfs said and heard on its control connections, from the lines that `-d` logs: `[1] > PASV`, `[1] < 227 ...`.
package struct CommandTrace: Sendable, CustomStringConvertible {
    /// One line of one control connection.
    package struct Line: Hashable, Sendable {
        /// Number of the control connection, from 1.
        package let connection: Int
        package let isCommand: Bool
        /// The command as shown (a password is masked), or the reply.
        package let text: String

        /// The first word of a command: its verb.
        package var verb: String { text.split(separator: " ").first.map(String.init) ?? "" }

        /// Whether it belongs to the `STAT` in front of it, in the same packet: the mark behind a listing, and what takes that
        /// back.
        fileprivate var isMark: Bool { text == "REST 0" || (verb == "REST" && text.count == 20) }
    }

    package let lines: [Line]

    /// Reads the lines of a log; those that are not part of a conversation are passed over.
    package init(log: String) {
        lines = log.split(separator: "\n").compactMap(Self.line)
    }

    /// The commands in the order in which they were sent; a `STAT` that lists is one, with its mark.
    package var commands: [Line] { lines.filter { $0.isCommand && !$0.isMark } }

    /// How many commands have this verb.
    package func count(_ verb: String) -> Int { commands.count { $0.verb == verb } }

    /// Round trips spent waiting for replies: on each control connection, each command or run of commands that was sent
    /// without a reply in between.
    ///
    /// A preliminary reply (1yz) and the final reply behind it are one: the server sends the second unasked.
    package var roundTrips: Int {
        var waiting: Set<Int> = []
        var count = 0
        for line in lines {
            if !line.isCommand {
                waiting.remove(line.connection)
            } else if waiting.insert(line.connection).inserted {
                count += 1
            }
        }
        return count
    }

    /// Data connections that were asked for: each costs one more round trip, the TCP handshake.
    package var dataConnections: Int { count("PASV") + count("EPSV") }

    /// Control connections that were used.
    package var controlConnections: Int { Set(lines.map(\.connection)).count }

    package var description: String {
        lines.map { "[\($0.connection)] \($0.isCommand ? ">" : "<") \($0.text)" }.joined(separator: "\n")
    }

    /// `... [7] > MLSD` or `... [7] < 226 Done`, whatever stands before it.
    private static func line(_ text: Substring) -> Line? {
        var rest = text
        while let open = rest.firstIndex(of: "[") {
            rest = rest[rest.index(after: open)...]
            guard let close = rest.firstIndex(of: "]"), let connection = Int(rest[..<close]) else { continue }
            let tail = rest[rest.index(after: close)...]
            if tail.hasPrefix(" > ") {
                return Line(connection: connection, isCommand: true, text: String(tail.dropFirst(3)))
            }
            if tail.hasPrefix(" < ") {
                return Line(connection: connection, isCommand: false, text: String(tail.dropFirst(3)))
            }
        }
        return nil
    }
}
