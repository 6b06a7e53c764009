import FTPProtocol
import Logging
import Threading
import Vocabulary

/// Directories listed over the control connection: `STAT -a path` (RFC 959 §4.1.3), whose answer is what `LIST -a path` would
/// send, as one reply of many lines.
///
/// It costs one round trip where a data connection costs three, and the listings of several directories can be asked for in
/// one packet. So where a server is known to answer like that it is the way to list; it takes the place of `LIST -a`, never
/// of `MLSD`, which says more.
///
/// ## Why a mark follows it
/// In a reply anything may stand, and its end is a line that begins with its code. A *file name* with a line feed in it can
/// look like that end, and like further replies: whoever may make files in one directory could say to this program what
/// is in another one. So each `STAT` is followed by `REST` and a number that nobody can guess, which servers repeat in their
/// answer. A listing counts only if the reply behind it carries that number; else the connection is given up, and nothing
/// is listed in this way any more. A last `REST 0` makes the server forget the number.
///
/// An answer without so much as `.` in it says nothing (no such directory, no permission, an empty one in the eyes of an odd
/// server): then `LIST` is asked, whose errors are known.
extension Session {
    /// The longest number that vsftpd takes for one.
    private static let marks: ClosedRange<Int64> = 100_000_000_000_000...999_999_999_999_999

    /// Whether directories are listed in this way here.
    var listsByStatus: Bool { sendsTogether && server.known.listings.hasStatus && server.known.hasRestart }

    /// Lists directories in one flight.
    ///
    /// - Parameter arguments: the paths as commands carry them; `nil` for the working directory.
    /// - Returns: the listings in the same order; `nil` for each that has to be asked for in another way.
    func receiveByStatus(
        _ arguments: [[UInt8]?], of paths: [RemotePath], _ cancellation: Cancellation
    ) throws(FTPError) -> [RawListing?] {
        let marks = arguments.map { _ in Int64.random(in: Self.marks) }
        var commands: [Command] = []
        for (argument, mark) in zip(arguments, marks) {
            commands.append(Command("STAT", Array("-a".utf8) + (argument.map { [0x20] + $0 } ?? [])))
            commands.append(Command("REST", String(mark)))
        }
        commands.append(Command("REST", "0"))
        let limit = server.configuration.listingLimit
        hasPendingRestart = true
        let replies: [Reply]
        do throws(FTPError) {
            replies = try control.exchange(
                commands, upTo: ReplyParser.Limit(bytes: limit.bytes, lines: limit.lines), cancellation)
        } catch {
            switch error {
            case .protocolViolation, .timedOut: throw giveUpStatus("\(error)")
            default: throw error
            }
        }
        hasPendingRestart = false
        for (index, mark) in marks.enumerated() {
            let answer = replies[2 * index + 1]
            guard answer.code == 350, answer.text.contains(Array(String(mark).utf8)) else {
                throw giveUpStatus("the listing of \(paths[index]) does not end where it should")
            }
        }
        return zip(replies.enumerated().filter { $0.offset % 2 == 0 }, paths).map { reply, path in
            listing(from: reply.element, of: path)
        }
    }

    private func listing(from reply: Reply, of path: RemotePath) -> RawListing? {
        guard reply.category == .completion else { return nil }
        var parser = ListingParser(format: .text, now: listingNow, style: server.known.listings.style)
        // The first and the last are the frame.
        for line in reply.lines.dropFirst().dropLast() {
            parser.consume(line)
            parser.consume([0x0A])
        }
        let listing = finish(&parser)
        guard listing.showsItself else { return nil }
        let raw = RawListing(listing: listing)
        note(raw, reply, path)
        return raw
    }

    /// Strikes this way out. What was read on this connection may have been said by a file name, and so may what follows.
    private func giveUpStatus(_ reason: String) -> FTPError {
        server.learn { $0.listings.strikeOutStatus() }
        logger.warning("[\(control.id)] listing with STAT is given up, LIST is used from now on: \(reason)")
        let error = FTPError.connectionLost(.beforeCommand, reason: "the replies to STAT cannot be told apart")
        control.fail(error)
        return error
    }
}
