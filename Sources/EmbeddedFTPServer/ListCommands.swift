internal import Vocabulary

/// Listings of directories over a data connection.
enum ListCommands {
    private static let lineEnd: [UInt8] = [0x0D, 0x0A]

    static func list(_ session: Session, _ argument: [UInt8]) throws(SessionEnd) -> Answer {
        if let refusal = refusalOfType(session) { return refusal }
        let entries: [StorageEntry]
        switch found(session, argument) {
        case .success(let found): entries = found
        case .failure(let error):
            let refusal = session.refusal(.listNotFound, argument, error)
            guard session.dialect.quirks.contains(.opensBeforeItLooks) else { return refusal }
            return try send(session, [], .openingForList, count: 0, finally: refusal)
        }
        if entries.isEmpty && session.dialect.quirks.contains(.refusesEmptyListing) {
            return session.answer(.emptyListing)
        }
        let now = currentTime()
        var bytes: [UInt8] = []
        if session.dialect.quirks.contains(.listsTotal) {
            // Blocks of 1 KiB, as `ls` counts.
            let blocks = entries.reduce(Int64(0)) { $0 &+ ($1.attributes.size / 1024) }
            bytes += Array("total \(blocks)".utf8) + lineEnd
        }
        let dialect = session.dialect
        let shown = entries.prefix(dialect.listingLimit ?? .max)
        let present = Timestamp(seconds: now.seconds &+ dialect.zoneOffset)
        for entry in shown { bytes += dialect.listing.line(dialect.inZone(entry), now: present) + lineEnd }
        return try send(
            session, bytes, .openingForList, count: entries.count, finally: truncation(session, shown, of: entries))
    }

    static func nlst(_ session: Session, _ argument: [UInt8]) throws(SessionEnd) -> Answer {
        let quirks = session.dialect.quirks
        let ignored: Dialect.Quirks =
            quirks.contains(.namesOnlyWhatExists)
            ? [.expandsPatterns, .listsNothingForMissing, .splitsListArgumentAtBlanks] : []
        switch found(session, argument, showsAll: quirks.contains(.namesEverything), without: ignored) {
        case .failure(let error): return session.refusal(.nameListNotFound, argument, error)
        case .success(let entries):
            let target = Listing(argument, quirks).target
            let isDirectory =
                (try? session.storage.attributes(of: session.path(target), following: true))?.kind == .directory
            let adds = quirks.contains(.namesWithDirectory) && isDirectory && !target.isEmpty
            let prefix = adds ? target + [UInt8(ascii: "/")] : []
            let bytes = entries.flatMap { prefix + $0.name + lineEnd }
            return try send(session, bytes, .openingForList, count: entries.count)
        }
    }

    static func mlsd(_ session: Session, _ argument: [UInt8]) throws(SessionEnd) -> Answer {
        if let refusal = refusalOfType(session) { return refusal }
        let quirks = session.dialect.quirks
        let path = quirks.contains(.ignoresMachineListArgument) ? session.directory : session.path(argument)
        let bytes: [UInt8]
        let count: Int
        let cut: Answer?
        do throws(StorageError) {
            guard try session.storage.attributes(of: path, following: true).kind == .directory else {
                throw .notDirectory
            }
            let entries = try session.storage.list(path).map { entry in followed(session, path, entry) }
            var lines: [UInt8] = []
            if !session.dialect.quirks.contains(.hidesDotInMachineListing) {
                for (entry, type) in zip(try Listing.dots(session, path), ["cdir", "pdir"]) {
                    lines += session.dialect.facts.line(entry, facts: session.facts, type: type) + lineEnd
                }
            }
            if entries.isEmpty, quirks.contains(.refusesEmptyMachineListing) { return session.answer(.emptyListing) }
            let shown = entries.prefix(session.dialect.listingLimit ?? .max)
            for entry in shown { lines += session.dialect.facts.line(entry, facts: session.facts) + lineEnd }
            (bytes, count, cut) = (lines, entries.count, truncation(session, shown, of: entries))
        } catch {
            return session.refusal(.factListNotFound, argument, error)
        }
        return try send(session, bytes, .openingForFacts, count: count, finally: cut)
    }

    /// What is said instead of a listing in the wrong type.
    private static func refusalOfType(_ session: Session) -> Answer? {
        guard session.dialect.quirks.contains(.listsInASCIIOnly), !session.isASCII else { return nil }
        return Answer("504 Listings are in ASCII only; send TYPE A.", [:])
    }

    /// What is said behind a listing that was cut short.
    private static func truncation(
        _ session: Session, _ shown: ArraySlice<StorageEntry>, of entries: [StorageEntry]
    ) -> Answer? {
        guard shown.count < entries.count else { return nil }
        return Answer("226 Output truncated to {count} matches", ["count": Array(String(shown.count).utf8)])
    }

    /// The thing that a link points to, in dialects whose MLSD knows no links.
    private static func followed(_ session: Session, _ directory: ServerPath, _ entry: StorageEntry) -> StorageEntry {
        guard session.dialect.facts.linkType == .target, entry.attributes.kind == .symbolicLink else { return entry }
        let path = directory.appending(entry.name)
        guard let attributes = try? session.storage.attributes(of: path, following: true) else { return entry }
        return StorageEntry(name: entry.name, attributes: attributes)
    }

    /// What is listed; some products list nothing where there is nothing.
    private static func found(
        _ session: Session, _ argument: [UInt8], showsAll: Bool = false, without ignored: Dialect.Quirks = []
    ) -> Result<[StorageEntry], StorageError> {
        let result = Listing.entries(session, argument, showsAll: showsAll, without: ignored)
        let quirks = session.dialect.quirks.subtracting(ignored)
        if case .failure(.notFound) = result, quirks.contains(.listsNothingForMissing) {
            return .success([])
        }
        return result
    }

    /// Sends the lines. - Parameter finally: what is said when they have arrived; `nil`: that they have.
    private static func send(
        _ session: Session, _ bytes: [UInt8], _ opening: Phrase, count: Int, finally: Answer? = nil
    ) throws(SessionEnd) -> Answer {
        let fields: Answer.Fields = ["count": Array(String(count).utf8)]
        let answer = try TransferCommands.run(session, opening, .listed, fields) { (transfer) throws(SessionEnd) in
            try transfer.send(.bytes(bytes))
        }
        return finally ?? answer
    }
}
