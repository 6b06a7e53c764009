import FTPProtocol
import Logging
import Threading
import Vocabulary

/// How a directory is listed.
///
/// `MLSD` where it works, else `LIST -a`, else `LIST`; what the server does not implement is struck out for the client.
///
/// - `MLSD` is also struck out when it shows nothing but lines that cannot be understood, or when it is refused before it
///   ever worked, in whatever words, while `LIST` shows the directory.
/// - `LIST -a` is trusted once it has shown names with a period in front (`.` and `..` are such) and others beside them.
///   Where it fails, or shows only the ones or the others, plain `LIST` is asked too, once: some servers take `-a` for
///   the name of a file, and what it shows must include what the plain one shows.
/// - A server that says of itself that it left something out is asked in the other way as well, and what both show
///   counts. If that is not all either, the listing is marked as incomplete.
///
/// How a listing command names its directory, and what its answer is checked for: `Session+ListingCommands.swift`. How its
/// data are read: `Session+ListingTransfer.swift`. How times become UTC: `ServerClock.swift`.
extension Session {
    /// What a directory holds. Blocks for one to four round trips; a few more once for each client.
    ///
    /// - Parameter checking: whether an empty answer is made sure to be that of a directory.
    /// - Throws: `refused` when it does not exist, is no directory or may not be read.
    func list(
        _ path: RemotePath, checking: Bool = true, _ cancellation: Cancellation
    ) throws(FTPError) -> DirectoryListing {
        // Each turn either returns, throws, or strikes out one of the three methods.
        while true {
            let method = server.known.listings.method
            do throws(FTPError) {
                let raw = try list(path, by: method, checking, cancellation)
                return try complete(raw, by: method, path, cancellation)
            } catch {
                if server.known.listings.method == method { throw error }
            }
        }
    }

    private func list(
        _ path: RemotePath, by method: ListingKnowledge.Method, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        switch method {
        case .machine:
            return try proveMachine(path, checking, cancellation)
        case .listAll:
            if server.known.listings.listAllIsProven {
                return try listText(path, option: Self.all, checking, cancellation)
            }
            return try proveListAll(path, checking, cancellation)
        case .list:
            return try listText(path, option: nil, checking, cancellation)
        }
    }

    /// The option of `LIST` that also shows names with a period in front.
    static let all = "-a"

    // MARK: - What works

    /// `MLSD`, and whether it works.
    private func proveMachine(
        _ path: RemotePath, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        do throws(FTPError) {
            let raw = try listByMachine(path, checking, cancellation)
            let listing = raw.listing
            if !listing.entries.isEmpty || listing.currentDirectory != nil {
                server.learn { $0.listings.machineIsProven = true }
            } else if listing.skipped > 0, !server.known.listings.machineIsProven {
                let reason = FTPError.protocolViolation("MLSD shows no facts: \(listing.firstSkipped ?? "")")
                throw demoteMachine(reason)
            }
            return try withLinkTargets(raw, path, cancellation)
        } catch {
            guard let reply = error.refusal else { throw error }
            if error.isNotImplemented {
                // 501 is also what servers say of a path that is no directory.
                if reply.code == 501 { try changeDirectory(to: path, cancellation) }
                throw demoteMachine(error)
            }
            guard reply.category == .permanentNegative, !server.known.listings.machineIsProven,
                try listsAnything(path, cancellation)
            else { throw error }
            throw demoteMachine(error)
        }
    }

    private func demoteMachine(_ reason: FTPError) -> FTPError {
        server.learn { $0.listings.demote(.machine) }
        logger.notice("[\(control.id)] MLSD does not work here (\(reason)); listing with LIST")
        return reason
    }

    /// Whether `LIST` shows a directory that `MLSD` refuses.
    private func listsAnything(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Bool {
        do throws(FTPError) {
            return try !listText(path, option: nil, false, cancellation).listing.entries.isEmpty
        } catch {
            if error.refusal != nil { return false }
            throw error
        }
    }

    /// `LIST -a`, and whether it works.
    private func proveListAll(
        _ path: RemotePath, _ checking: Bool, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        var all: RawListing?
        do throws(FTPError) {
            let raw = try listText(path, option: Self.all, checking, cancellation)
            if raw.isCut || (raw.listing.showsHidden && raw.listing.showsOthers) {
                server.learn { $0.listings.listAllIsProven = true }
                return raw
            }
            all = raw
        } catch {
            guard error.refusal?.category == .permanentNegative else { throw error }
        }
        let plain = try listText(path, option: nil, checking, cancellation)
        // In an empty directory nothing can be seen.
        if plain.listing.entries.isEmpty { return all ?? plain }
        if var all, !all.listing.entries.isEmpty {
            // What was made between the two listings is in a third one.
            if !all.listing.includes(plain.listing) {
                all = try listText(path, option: Self.all, checking, cancellation)
            }
            if all.listing.includes(plain.listing) {
                server.learn { $0.listings.listAllIsProven = true }
                return all
            }
        }
        logger.notice("[\(control.id)] LIST -a does not work here; names that begin with a period may be missing")
        server.learn { $0.listings.demote(.listAll) }
        return plain
    }

    // MARK: - What else belongs to it

    /// Makes the answer of what a command brought: with what the server left out, as far as it can be had, in UTC.
    private func complete(
        _ raw: RawListing, by method: ListingKnowledge.Method, _ path: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> DirectoryListing {
        var listing = DirectoryListing(entries: raw.listing.entries, isComplete: !raw.isTruncated)
        // No further command may go out on a session that was left in the middle of its data.
        if raw.isCut { return listing }
        if method != .machine { listing.entries = try inUniversalTime(listing.entries, path, cancellation) }
        guard raw.isTruncated, method != .list, !server.known.listings.alternativeIsNoBetter else { return listing }
        do throws(FTPError) {
            try add(listText(path, option: method == .machine ? Self.all : nil, false, cancellation), to: &listing)
        } catch {
            guard error.refusal != nil else { throw error }
            server.learn { $0.listings.alternativeIsNoBetter = true }
        }
        return listing
    }

    /// Adds what another way of listing shows.
    private func add(_ other: RawListing, to listing: inout DirectoryListing) {
        let known = Set(listing.entries.map(\.name))
        let more = other.listing.entries.filter { !known.contains($0.name) }
        let clock = server.known.clock
        listing.entries += more.map { $0.inUniversalTime(clock) }
        // Without the hidden names it cannot be known to be all.
        listing.isComplete = !other.isTruncated && other.listing.showsHidden
        if more.isEmpty, !listing.isComplete { server.learn { $0.listings.alternativeIsNoBetter = true } }
    }

    /// Adds where symbolic links lead, which some servers do not say in `MLSD` (ProFTPD, Pure-FTPd) but in `LIST`; and the
    /// links that lead nowhere, which ProFTPD leaves out of `MLSD`.
    private func withLinkTargets(
        _ raw: RawListing, _ path: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> RawListing {
        guard !raw.isCut, raw.listing.entries.contains(where: \.lacksTarget) else { return raw }
        let text: RawListing
        do throws(FTPError) {
            text = try listText(path, option: Self.all, false, cancellation)
        } catch {
            guard error.refusal != nil else { throw error }
            return raw
        }
        var targets: [FileName: [UInt8]] = [:]
        for entry in text.listing.entries where entry.kind == .symbolicLink { targets[entry.name] = entry.linkTarget }
        var raw = raw
        raw.isCut = text.isCut
        raw.listing = raw.listing.replacingEntries { entry in
            guard entry.lacksTarget else { return entry }
            var entry = entry
            entry.linkTarget = targets[entry.name]
            return entry
        }
        let known = Set(raw.listing.entries.map(\.name))
        let clock = server.known.clock
        for link in text.listing.entries where link.kind == .symbolicLink && !known.contains(link.name) {
            raw.listing.add(link.inUniversalTime(clock))
        }
        return raw
    }
}

extension Listing {
    /// Whether there is a name with a period in front.
    fileprivate var showsHidden: Bool {
        showsItself || entries.contains { $0.name.bytes.first == 0x2E }
    }

    /// Whether there is a name without one.
    fileprivate var showsOthers: Bool { entries.contains { $0.name.bytes.first != 0x2E } }

    /// Whether all names of another listing are in this one.
    fileprivate func includes(_ other: Listing) -> Bool {
        let names = Set(entries.map(\.name))
        return other.entries.allSatisfy { names.contains($0.name) }
    }
}

extension ListingEntry {
    /// Whether it is a symbolic link that leads nobody knows where.
    var lacksTarget: Bool { kind == .symbolicLink && linkTarget?.isEmpty ?? true }
}
