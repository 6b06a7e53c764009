import FTPProtocol
@preconcurrency import Glibc
import Logging
import Threading
import Vocabulary

/// How a directory is listed.
///
/// `MLSD` where it works, else `LIST -a`, else `LIST`; what the server does not implement is struck out for the client.
///
/// - `MLSD` takes a path as it is. `LIST` is run through `ls` on many servers, which takes blanks for separators, and
///   `*?[]{}~\` or a leading `-` for patterns and options. A path with any of these is entered by `CWD` and listed
///   without an argument. The base directory is never named while it is the working directory.
/// - `LIST -a` is trusted once it has shown something. Where it fails, or shows nothing, plain `LIST` is asked too:
///   some servers take `-a` for the name of a file.
/// - An answer of no byte about a named directory is checked with `CWD`: some servers list what does not exist as empty.
///   A 450 or 550 is checked in the same way: some say "no files found" of an empty directory.
/// - Some servers ignore the path and list their working directory. So the first listing of a named directory that equals
///   that of the base directory is made once more after `CWD`; if that gives something else, `CWD` it is from then on.
/// - An answer that consists of nothing but the last name of the path is that of `LIST` about a file, or about a directory
///   that may not be read: the path is entered with `CWD` and listed without a name.
extension Session {
    /// What a directory holds. Blocks for one to four round trips.
    ///
    /// - Throws: `refused` when it does not exist, is no directory or may not be read.
    ///
    /// - Parameter checking: whether an empty answer is made sure to be that of a directory.
    func list(
        _ path: RemotePath, checking: Bool = true, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        // Each turn either returns, throws, or strikes out one of the three methods.
        while true {
            let method = server.known.listing
            do throws(FTPError) {
                return try list(path, by: method, checking, cancellation)
            } catch {
                if server.known.listing == method { throw error }
            }
        }
    }

    private func list(
        _ path: RemotePath, by method: ServerProfile.ListingMethod, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        switch method {
        case .machine:
            return try listByMachine(path, checking, cancellation)
        case .listAll:
            if server.known.listAllIsProven { return try listText(path, option: "-a", checking, cancellation) }
            return try proveListAll(path, checking, cancellation)
        case .list:
            return try listText(path, option: nil, checking, cancellation)
        }
    }

    private func listByMachine(
        _ path: RemotePath, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        let argument = try listingArgument(path, cancellation)
        do throws(FTPError) {
            let raw = try receiveListing(Command("MLSD", argument), .machine, cancellation)
            if argument != nil, isWrongDirectory(raw.listing.entries) {
                try changeDirectory(to: path, cancellation)
                return compare(try listByMachine(path, checking, cancellation), with: raw.listing.entries)
            }
            if checking, raw.byteCount == 0, argument != nil { try changeDirectory(to: path, cancellation) }
            noteBase(path, raw.listing.entries)
            return try withLinkTargets(raw.listing.entries, path, cancellation)
        } catch {
            guard error.refusal != nil, error.isNotImplemented else { throw error }
            // 501 is also what servers say of a path that is no directory.
            if error.refusal?.code == 501 { try changeDirectory(to: path, cancellation) }
            server.learn { $0.demote(.machine) }
            logger.notice("[\(control.id)] MLSD does not work here (\(error)); listing with LIST")
            throw error
        }
    }

    /// Adds where symbolic links lead, which some servers do not say in `MLSD` (ProFTPD, Pure-FTPd) but in `LIST`.
    private func withLinkTargets(
        _ entries: [ListingEntry], _ path: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        guard entries.contains(where: \.lacksTarget) else { return entries }
        let text: [ListingEntry]
        do throws(FTPError) {
            text = try listText(path, option: "-a", false, cancellation)
        } catch {
            guard error.refusal != nil else { throw error }
            return entries
        }
        var targets: [FileName: [UInt8]] = [:]
        for entry in text where entry.kind == .symbolicLink { targets[entry.name] = entry.linkTarget }
        return entries.map { entry in
            guard entry.lacksTarget else { return entry }
            var entry = entry
            entry.linkTarget = targets[entry.name]
            return entry
        }
    }

    /// `LIST -a` for the first time.
    private func proveListAll(
        _ path: RemotePath, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        do throws(FTPError) {
            let all = try listText(path, option: "-a", checking, cancellation)
            if !all.isEmpty {
                server.learn { $0.listAllIsProven = true }
                return all
            }
        } catch {
            guard error.refusal?.category == .permanentNegative else { throw error }
        }
        let plain = try listText(path, option: nil, checking, cancellation)
        if !plain.isEmpty {
            logger.notice("[\(control.id)] LIST -a does not work here; names that begin with a period may be missing")
            server.learn { $0.demote(.listAll) }
        }
        return plain
    }

    private func listText(
        _ path: RemotePath, option: String?, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        var words = option.map { Array($0.utf8) } ?? []
        var argument = try listingArgument(path, cancellation)
        if let wire = argument, !Self.isPlain(wire) {
            try changeDirectory(to: path, cancellation)
            argument = nil
        }
        let isNamed = argument != nil
        if let argument {
            if !words.isEmpty { words.append(0x20) }
            words += argument
        }
        let command = Command("LIST", words.isEmpty ? nil : words)
        do throws(FTPError) {
            let raw = try receiveListing(command, .text, cancellation)
            let entries = raw.listing.entries
            noteBase(path, entries)
            guard isNamed else { return entries }
            if isWrongDirectory(entries) {
                try changeDirectory(to: path, cancellation)
                return compare(try listText(path, option: option, checking, cancellation), with: entries)
            }
            // A file may be shown by its whole path, which is no name and was left out.
            let isItself = entries.count == 1 && entries[0].name == path.name
            if isItself || (entries.isEmpty && raw.listing.skipped > 0) {
                try changeDirectory(to: path, cancellation)
                return try listText(path, option: option, checking, cancellation)
            }
            if checking, raw.byteCount == 0 { try changeDirectory(to: path, cancellation) }
            return entries
        } catch {
            guard case .refused("LIST", let reply) = error, reply.code == 450 || reply.code == 550, !reply.saysDenied
            else { throw error }
            if isNamed { try changeDirectory(to: path, cancellation) }
            return []
        }
    }

    // MARK: - The argument

    /// How a listing command names a directory; `nil`: not at all, it is the working directory (and is made that).
    private func listingArgument(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> [UInt8]? {
        if path.isRoot, location == .base { return nil }
        if location == .below(path) { return nil }
        switch server.known.listingArgument {
        case .heeded:
            break
        case .untried:
            // Only from there it can be told whether the argument counts.
            try returnToBase(cancellation)
            if path.isRoot { return nil }
        case .ignored:
            try changeDirectory(to: path, cancellation)
            return nil
        }
        return try wirePath(path, cancellation)
    }

    /// Remembers what the base directory holds, to recognise it where something else was asked for.
    private func noteBase(_ path: RemotePath, _ entries: [ListingEntry]) {
        guard path.isRoot, server.known.listingArgument == .untried else { return }
        let hash = entries.hashValue
        server.learn { $0.baseListing = entries.isEmpty ? nil : hash }
    }

    /// Whether the listing of a named directory looks like that of the working directory.
    private func isWrongDirectory(_ entries: [ListingEntry]) -> Bool {
        let known = server.known
        guard known.listingArgument == .untried, location == .base, let base = known.baseListing, !entries.isEmpty
        else { return false }
        if entries.hashValue == base { return true }
        server.learn { $0.listingArgument = .heeded }
        return false
    }

    /// Learns from a directory listed in both ways whether the argument counts.
    private func compare(_ entered: [ListingEntry], with named: [ListingEntry]) -> [ListingEntry] {
        if entered != named {
            logger.notice("[\(control.id)] listing commands ignore their argument here; entering each directory")
            server.learn { $0.listingArgument = .ignored }
        }
        return entered
    }

    /// Whether no `ls` on the way can read anything else into a path.
    private static func isPlain(_ path: [UInt8]) -> Bool {
        if path.first == 0x2D { return false }
        return !path.contains { byte in byte <= 0x20 || byte == 0x7F || Self.special.contains(byte) }
    }

    /// Pattern characters of shells and of the servers' own matching.
    private static let special = Set("*?[]{}\\~\"'".utf8)

    /// How much one listing may bring: a million entries of the longest usual line.
    private static let maximumListingLength = 256 * 1024 * 1024

    private func receiveListing(
        _ command: Command, _ format: ListingFormat, _ cancellation: Cancellation
    ) throws(FTPError) -> (listing: Listing, byteCount: Int) {
        let transfer = try beginTransfer(command, cancellation)
        do throws(FTPError) {
            var parser = ListingParser(format: format, now: Timestamp.now)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 16)
            defer { buffer.deallocate() }
            var total = 0
            while let count = try readListing(transfer, into: buffer, cancellation), count > 0 {
                total += count
                guard total <= Self.maximumListingLength else {
                    throw .protocolViolation("a listing of more than \(Self.maximumListingLength) bytes")
                }
                parser.consume(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            let reply = try transfer.finish(cancellation)
            var listing = parser.finish()
            skippedLines = listing.skipped
            if server.configuration.charset != nil { listing.entries = listing.entries.compactMap(local) }
            warn(of: listing, reply)
            return (listing, total)
        } catch {
            transfer.abandon(abortively: false)
            throw error
        }
    }

    /// `nil` when the data connection was reset: some servers do that at the end, and the final reply decides.
    private func readListing(
        _ transfer: Transfer, into buffer: UnsafeMutableRawBufferPointer, _ cancellation: Cancellation
    ) throws(FTPError) -> Int? {
        do throws(FTPError) {
            return try transfer.read(into: buffer, cancellation)
        } catch {
            if error.isConnectionLoss { return nil }
            throw error
        }
    }

    private func warn(of listing: Listing, _ reply: Reply) {
        if listing.skipped > 0 {
            logger.warning("\(listing.skipped) lines of a listing were not understood: \(listing.firstSkipped ?? "")")
        }
        if reply.mentions(["truncated"]) {
            logger.warning("the server cut a listing short: \(reply.summary)")
        }
    }
}

extension ListingEntry {
    /// Whether it is a symbolic link that leads nobody knows where.
    var lacksTarget: Bool { kind == .symbolicLink && linkTarget?.isEmpty ?? true }
}

extension Timestamp {
    /// The present moment by the machine's clock.
    static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(seconds: Int64(time.tv_sec), nanoseconds: UInt32(clamping: time.tv_nsec))
    }
}
