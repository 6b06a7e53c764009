import FTPProtocol
import Vocabulary

/// What has been learned about how a server lists; a part of ``ServerProfile``. No I/O: the session tells what it saw.
struct ListingKnowledge: Sendable {
    /// How to list a directory.
    enum Method: Hashable, Sendable {
        /// `MLSD` (RFC 3659 §7).
        case machine
        /// `LIST -a`: also shows names that begin with a period.
        case listAll
        /// `LIST`.
        case list
    }

    /// Whether listing commands heed the path that they are given.
    enum Argument: Hashable, Sendable {
        case untried
        case heeded
        /// They list the working directory, whatever they are told.
        case ignored
    }

    /// Something odd that is worth one line of the log for each directory, however often it is listed.
    enum Oddity: Hashable, Sendable {
        case notUnderstood
        case truncated
    }

    private struct Complaint: Hashable, Sendable {
        let oddity: Oddity
        let path: Int
    }

    private(set) var method = Method.machine
    /// Whether the server has machine listings at all.
    private(set) var hasMachine = true
    /// Whether `MLSD` has shown something: from then on its refusals are about the directory, not about the command.
    var machineIsProven = false
    /// Whether `LIST -a` has been seen to show what `LIST` shows, or more.
    var listAllIsProven = false
    /// Whether `STAT -a` shows what `LIST -a` shows, over the control connection.
    private(set) var hasStatus = false
    private var statusIsStruckOut = false
    /// In which format, and with which order of numbers in dates, `LIST` was last seen to write.
    var style: ListingStyle?
    private(set) var argument = Argument.untried
    /// What the base directory held when it was last listed, as a hash value.
    private var base: Int?
    /// Whether listings are refused after `TYPE I`.
    var needsASCII = false
    /// Whether the server was seen to end whole listings by a reset of the data connection.
    var endsByReset = false
    /// Whether the other way of listing has not brought more when one was cut short by the server.
    var alternativeIsNoBetter = false
    private var complaints: Set<Complaint> = []

    /// How many directories are remembered as complained about; then it begins anew.
    private static let maximumComplaints = 1_000

    /// Takes what `FEAT` says as the starting point.
    mutating func learn(_ features: Features) {
        // Without the type of an entry, directories and files cannot be told apart.
        let facts = features.mlstFacts
        let tellsKinds = facts.isEmpty || facts.contains { $0.name == "type" || $0.name == "perm" }
        hasMachine = (features.contains("MLST") || features.contains("MLSD")) && tellsKinds
        method = hasMachine ? .machine : .listAll
    }

    /// Strikes out a way of listing; the next one is used from now on.
    mutating func demote(_ method: Method) {
        guard self.method == method else { return }
        switch method {
        case .machine:
            self.method = .listAll
            hasMachine = false
            // What MLSD does with its argument says nothing about LIST.
            if argument == .heeded { argument = .untried }
        case .listAll:
            self.method = .list
        case .list:
            break
        }
    }

    /// The server is one of those known to list with `STAT`; each login says so again.
    mutating func trustStatus() { hasStatus = !statusIsStruckOut }

    /// Nothing is listed with `STAT` any more.
    mutating func strikeOutStatus() {
        statusIsStruckOut = true
        hasStatus = false
    }

    /// Remembers what the base directory holds, to recognise it where something else was asked for.
    mutating func noteBase(_ entries: [ListingEntry]) {
        guard argument == .untried else { return }
        base = entries.isEmpty ? nil : Self.fingerprint(entries)
    }

    /// Whether a listing that was asked for by a path, in the base directory, may be that of the base directory. If it
    /// cannot be, that is remembered.
    ///
    /// It may if it holds the same names, or the first name of the path: the base directory has that.
    mutating func mayBeBase(_ listing: Listing, askedFor path: RemotePath) -> Bool {
        guard argument == .untried, !listing.entries.isEmpty else { return false }
        let first = path.components.first
        if let base, Self.fingerprint(listing.entries) == base { return true }
        if listing.entries.contains(where: { $0.name == first }) { return true }
        argument = .heeded
        return false
    }

    /// Learns from a directory listed in both ways, by its path and from within.
    ///
    /// - Returns: whether the path turned out to be ignored.
    mutating func compare(named: [ListingEntry], entered: [ListingEntry]) -> Bool {
        guard argument == .untried else { return argument == .ignored }
        let fingerprint = Self.fingerprint(named)
        if fingerprint != Self.fingerprint(entered) {
            argument = .ignored
            return true
        }
        // A directory that holds the same as the base directory tells nothing.
        if fingerprint != base { argument = .heeded }
        return false
    }

    /// Whether to write to the log about a directory; once for each.
    mutating func complains(about oddity: Oddity, in path: RemotePath) -> Bool {
        if complaints.count >= Self.maximumComplaints { complaints = [] }
        return complaints.insert(Complaint(oddity: oddity, path: path.hashValue)).inserted
    }

    /// The names and kinds: times and sizes change too often.
    private static func fingerprint(_ entries: [ListingEntry]) -> Int {
        var hasher = Hasher()
        for entry in entries {
            hasher.combine(entry.name)
            hasher.combine(entry.kind)
        }
        return hasher.finalize()
    }
}
