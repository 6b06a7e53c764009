import FTPProtocol
@preconcurrency import Glibc
import Logging
import Threading
import Vocabulary

/// One listing command and its data.
///
/// Only the time without a byte is limited (`timeouts.dataIdle`), not the whole: very large directories take minutes.
/// What is kept is limited (``ClientConfiguration/ListingLimit``): there the listing is cut, and what has
/// come until then is the answer, marked as incomplete.
///
/// - A data connection that is reset counts as ended, if the server then confirms the transfer: some end every listing
///   in that way. But a firewall or proxy may have cut it, and a server that had handed over its bytes by then confirms that too. So
///   the first time the command is sent once more; only where the same comes again, it is that server's way
///   (``ListingKnowledge/endsByReset``), and else the listing is one that was cut short. Where it ended before the first byte, and the server calls that a failure (425, 426), the command is
///   sent once more. The same again is how some servers end the listing of an empty directory; the caller makes sure
///   that there is one.
/// - A server that refuses to list after `TYPE I` gets a `TYPE A`, as the RFC has it for listings. Lines end with LF
///   or CR LF, whatever the type.
extension Session {
    /// What a listing command has brought.
    struct RawListing {
        var listing: Listing
        /// Whether the server said that it left something out.
        var isTruncated = false
        /// Whether this program has stopped reading, and left the session out of step.
        var isCut = false
        /// Whether the data connection failed before the first byte, twice.
        var isDoubtful = false
    }

    /// Sends a listing command and reads what comes. - Parameter path: the directory, for the log.
    func receiveListing(
        _ command: Command, _ format: ListingFormat, _ path: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        if server.known.listings.needsASCII { try useASCIIType(cancellation) }
        do throws(FTPError) {
            return try receiveInPresentType(command, format, path, cancellation)
        } catch {
            guard isImageType, let reply = error.refusal, reply.category == .permanentNegative,
                reply.mentions(["ascii", "type a"])
            else { throw error }
            try useASCIIType(cancellation)
            server.learn { $0.listings.needsASCII = true }
            return try receiveInPresentType(command, format, path, cancellation)
        }
    }

    private func useASCIIType(_ cancellation: Cancellation) throws(FTPError) {
        guard isImageType else { return }
        isImageType = false
        try complete(Command("TYPE", "A"), cancellation)
    }

    private func receiveInPresentType(
        _ command: Command, _ format: ListingFormat, _ path: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        var hasFailed = false
        /// How many bytes came before a reset.
        var before: Int?
        while true {
            let transfer = try beginTransfer(command, cancellation)
            server.noteAnswer(to: command.verb)
            var parser = ListingParser(format: format, now: listingNow, style: server.known.listings.style)
            let end: DataEnd
            do throws(FTPError) {
                end = try read(transfer, into: &parser, cancellation)
                if end.isCut {
                    transfer.abandon(abortively: true)
                    return cut(finish(&parser, isCut: true), end, path)
                }
            } catch {
                transfer.abandon(abortively: false)
                throw error
            }
            do throws(FTPError) {
                let reply = try transfer.finish(cancellation)
                let isReset = end.isReset && (end.byteCount == 0 || !server.known.listings.endsByReset)
                if isReset, before == nil {
                    before = end.byteCount
                    continue
                }
                let isHabit = isReset && before == end.byteCount
                if isHabit, end.byteCount > 0 { server.learn { $0.listings.endsByReset = true } }
                let isCut = isReset && !isHabit
                let raw = RawListing(
                    listing: finish(&parser, isCut: isCut),
                    isTruncated: isCut || reply.mentions(Self.truncatedWords))
                note(raw, reply, path)
                return raw
            } catch {
                guard end.byteCount == 0, let code = error.refusal?.code, code == 425 || code == 426 else {
                    transfer.abandon(abortively: false)
                    throw error
                }
                if hasFailed { return RawListing(listing: Listing(), isDoubtful: true) }
                hasFailed = true
            }
        }
    }

    /// The listing with names as this machine writes them.
    func finish(_ parser: inout ListingParser, isCut: Bool = false) -> Listing {
        var listing = parser.finish(isCut: isCut)
        skippedLines = listing.skipped
        if server.configuration.charset != nil { listing.entries = listing.entries.compactMap(local) }
        return listing
    }

    /// How the data of a listing ended.
    private struct DataEnd {
        var byteCount = 0
        var lineCount = 0
        var isCut = false
        /// Whether it was a reset, or another failure, that ended it.
        var isReset = false
    }

    private func read(
        _ transfer: Transfer, into parser: inout ListingParser, _ cancellation: Cancellation
    ) throws(FTPError) -> DataEnd {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        let limit = server.configuration.listingLimit
        var end = DataEnd()
        while true {
            let count: Int
            do throws(FTPError) {
                count = try transfer.read(into: buffer, cancellation)
            } catch {
                guard error.isConnectionLoss else { throw error }
                end.isReset = true
                return end
            }
            if count == 0 { return end }
            let piece = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            end.byteCount += count
            end.lineCount += piece.reduce(0) { $0 + ($1 == 0x0A ? 1 : 0) }
            parser.consume(piece)
            if end.byteCount >= limit.bytes || end.lineCount >= limit.lines {
                end.isCut = true
                return end
            }
        }
    }

    private func cut(_ listing: Listing, _ end: DataEnd, _ path: RemotePath) -> RawListing {
        let limit = server.configuration.listingLimit
        logger.error(
            """
            the listing of \(path) does not end: cut after \(listing.entries.count) entries in \(end.byteCount) bytes \
            (the limits are \(limit.lines) lines and \(limit.bytes) bytes)
            """)
        return RawListing(listing: listing, isTruncated: true, isCut: true)
    }

    /// What servers say of a listing that they cut: Pure-FTPd's "Output truncated to N matches".
    private static let truncatedWords = ["truncated"]

    /// Keeps what a listing tells of the server, and writes to the log what is odd about it.
    func note(_ raw: RawListing, _ reply: Reply, _ path: RemotePath) {
        let listing = raw.listing
        if let style = listing.style { server.learn { $0.listings.style = style } }
        if listing.skipped > 0, server.learn({ $0.listings.complains(about: .notUnderstood, in: path) }) {
            logger.warning(
                """
                \(path): \(listing.skipped) lines of the listing were not understood, the first is: \
                \(listing.firstSkipped ?? "")
                """)
        }
        if raw.isTruncated, server.learn({ $0.listings.complains(about: .truncated, in: path) }) {
            logger.warning("\(path): the server cut the listing short (\(reply.summary)); missing names are asked for")
        }
    }

    /// The present by the server's wall clock, for dates without a year.
    var listingNow: Timestamp {
        let now = Timestamp.now
        return Timestamp(seconds: now.seconds &+ server.known.clock.offset(at: now.seconds))
    }
}

extension Timestamp {
    /// The present moment by the machine's clock.
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}
