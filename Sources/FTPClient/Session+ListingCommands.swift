import FTPProtocol
import Logging
import Threading
import Vocabulary

/// How a listing command names its directory, and what its answer is checked for.
///
/// - `MLSD` takes a path as it is. `LIST` is run through `ls` on many servers, which takes blanks for separators, and
///   `*?[]{}~\` or a leading `-` for patterns and options. A path with any of these is entered by `CWD` and listed
///   without an argument. The base directory is never named while it is the working directory.
/// - An answer that shows nothing of a named directory, not even itself, is checked with `CWD`: some servers list what
///   does not exist as empty.
///   A 450 or 550 is checked in the same way: some say "no files found" of an empty directory.
/// - Some servers ignore the path and list their working directory. So the first listing of a named directory that may
///   be that of the base directory is made once more after `CWD`; if that gives something else, `CWD` it is from then on.
/// - An answer that consists of nothing but the last name of the path is that of `LIST` about a file, about a symbolic
///   link, or about a directory that may not be read: the path is entered with `CWD` and listed without a name. Where a
///   link cannot be entered, a slash behind it may help.
extension Session {
    /// `MLSD`.
    func listByMachine(
        _ path: RemotePath, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        let argument = try listingArgument(path, cancellation)
        do throws(FTPError) {
            let raw = try receiveListing(Command("MLSD", argument), .machine, path, cancellation)
            if raw.isCut { return raw }
            if argument != nil, isSuspicious(raw.listing, path) {
                try changeDirectory(to: path, cancellation)
                return compare(try listByMachine(path, checking, cancellation), with: raw)
            }
            try check(raw, path, isNamed: argument != nil, checking, cancellation)
            noteBase(path, raw.listing)
            return raw
        } catch {
            guard let reply = error.refusal, reply.category != .completion, reply.mentions(Self.emptyWords) else {
                throw error
            }
            try changeDirectory(to: path, cancellation)
            return RawListing(listing: Listing())
        }
    }

    /// What servers say instead of listing an empty directory with `MLSD`.
    private static let emptyWords = ["no files", "no members", "is empty"]

    /// `LIST`, with or without an option.
    func listText(
        _ path: RemotePath, option: String?, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        var argument = try listingArgument(path, cancellation)
        if let wire = argument, !Self.isPlain(wire) {
            try changeDirectory(to: path, cancellation)
            argument = nil
        }
        let isNamed = argument != nil
        do throws(FTPError) {
            let raw = try receiveText(option, argument, path, cancellation)
            if raw.isCut { return raw }
            noteBase(path, raw.listing)
            if let argument {
                if Self.isItself(raw.listing, path) {
                    return try enter(path, listedAs: raw.listing, argument, option, checking, cancellation)
                }
                if isSuspicious(raw.listing, path) {
                    try changeDirectory(to: path, cancellation)
                    return compare(try listText(path, option: option, checking, cancellation), with: raw)
                }
            }
            try check(raw, path, isNamed: isNamed, checking, cancellation)
            return raw
        } catch {
            guard case .refused("LIST", let reply) = error, reply.code == 450 || reply.code == 550, !reply.saysDenied
            else { throw error }
            if isNamed { try changeDirectory(to: path, cancellation) }
            return RawListing(listing: Listing())
        }
    }

    /// What the directory holds, over the control connection where that is possible.
    private func receiveText(
        _ option: String?, _ argument: [UInt8]?, _ path: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        if option == Self.all, listsByStatus,
            let raw = try receiveByStatus([argument], of: [path], cancellation)[0]
        {
            return raw
        }
        return try receiveListing(Self.listCommand(option, argument), .text, path, cancellation)
    }

    private static func listCommand(_ option: String?, _ argument: [UInt8]?) -> Command {
        let words = [option.map { Array($0.utf8) }, argument].compactMap { $0 }
        return Command("LIST", words.isEmpty ? nil : Array(words.joined(separator: [0x20])))
    }

    // MARK: - The argument

    /// How a listing command names a directory; `nil`: not at all, it is the working directory (and is made that).
    private func listingArgument(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> [UInt8]? {
        if path.isRoot, location == .base { return nil }
        if location == .below(path) { return nil }
        switch server.known.listings.argument {
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

    /// Whether no `ls` on the way can read anything else into a path.
    private static func isPlain(_ path: [UInt8]) -> Bool {
        if path.first == 0x2D { return false }
        return !path.contains { byte in byte <= 0x20 || byte == 0x7F || Self.special.contains(byte) }
    }

    /// Pattern characters of shells and of the servers' own matching.
    private static let special = Set("*?[]{}\\~\"'".utf8)

    // MARK: - Checks

    /// Makes sure that an answer that shows nothing, not even the directory itself, is that of a directory.
    private func check(
        _ raw: RawListing, _ path: RemotePath, isNamed: Bool, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) {
        let listing = raw.listing
        let showsNothing = listing.entries.isEmpty && !listing.showsItself && listing.currentDirectory == nil
        guard showsNothing, isNamed, checking || raw.isDoubtful else { return }
        try changeDirectory(to: path, cancellation)
    }

    private func noteBase(_ path: RemotePath, _ listing: Listing) {
        if path.isRoot { server.learn { $0.listings.noteBase(listing.entries) } }
    }

    /// Whether the listing of a named directory may be that of the working directory, the base.
    private func isSuspicious(_ listing: Listing, _ path: RemotePath) -> Bool {
        location == .base && server.learn { $0.listings.mayBeBase(listing, askedFor: path) }
    }

    /// Learns from a directory listed in both ways whether the argument counts.
    private func compare(_ entered: RawListing, with named: RawListing) -> RawListing {
        let (before, after) = (named.listing.entries, entered.listing.entries)
        let wasUntried = server.known.listings.argument == .untried
        if server.learn({ $0.listings.compare(named: before, entered: after) }), wasUntried {
            logger.notice("[\(control.id)] listing commands ignore their argument here; entering each directory")
        }
        return entered
    }

    /// Whether the answer is about the path itself and not about what is in it.
    private static func isItself(_ listing: Listing, _ path: RemotePath) -> Bool {
        // A file may be shown by its whole path, which is no name and was left out.
        if listing.entries.isEmpty { return listing.skipped > 0 }
        return listing.entries.count == 1 && listing.entries[0].name == path.name && !listing.showsItself
    }

    /// Lists from within what was listed as one thing.
    private func enter(
        _ path: RemotePath, listedAs itself: Listing, _ argument: [UInt8], _ option: String?, _ checking: Bool,
        _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        let kind = itself.entries.first?.kind
        do throws(FTPError) {
            try changeDirectory(to: path, cancellation)
        } catch {
            guard kind == .symbolicLink, error.refusal != nil else { throw error }
            let raw = try receiveListing(Self.listCommand(option, argument + [0x2F]), .text, path, cancellation)
            if raw.listing.entries.isEmpty || Self.isItself(raw.listing, path) { throw error }
            return raw
        }
        let raw = try listText(path, option: option, checking, cancellation)
        // Some servers enter files. A directory that holds a file of its own name looks the same, but has no size.
        if kind == .file, Self.isItself(raw.listing, path), try hasContent(path, cancellation) {
            let reply = Reply(code: 550, lines: [Array("\(path) is not a directory".utf8)])
            throw .refused(verb: "CWD", reply)
        }
        return raw
    }

    private func hasContent(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Bool {
        do throws(FTPError) {
            return try size(of: path, cancellation) != nil
        } catch {
            if error.refusal != nil { return false }
            throw error
        }
    }
}
