import FTPProtocol
import Threading
import Vocabulary

extension Session {
    /// A fresh look at one thing: `MLST` where it works, else a listing of its parent; if the server cuts that short, by
    /// the commands that only files, or only directories, answer.
    ///
    /// - Returns: `nil` when the server says that there is no such thing.
    func status(of path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> ListingEntry? {
        guard let name = path.name else { throw .invalidArgument("the root has no entry of its own") }
        if server.known.hasMachineLook {
            switch try machineStatus(of: path, name, cancellation) {
            case .entry(let entry):
                // Where the link leads, the listing of its directory tells.
                if !entry.lacksTarget { return entry }
            case .nothing: return nil
            case .unusable: server.learn { $0.hasMachineLook = false }
            }
        }
        do throws(FTPError) {
            let listing = try list(path.parent, cancellation)
            if let entry = listing.entries.first(where: { $0.name == name }) { return entry }
            return listing.isComplete ? nil : try statusByTrial(of: path, name, cancellation)
        } catch {
            // Where there is no parent, there is nothing in it.
            if let reply = error.refusal, reply.code == 550, !reply.saysDenied { return nil }
            throw error
        }
    }

    /// What a thing is, found by trying what can be done with it: up to three round trips.
    func statusByTrial(
        of path: RemotePath, _ name: FileName, _ cancellation: Cancellation
    ) throws(FTPError) -> ListingEntry? {
        do throws(FTPError) {
            if let size = try size(of: path, cancellation) {
                let time = try modificationTime(of: path, cancellation)
                return ListingEntry(name: name, kind: .file, size: size, modified: time)
            }
        } catch {
            guard error.refusal != nil else { throw error }
        }
        do throws(FTPError) {
            try changeDirectory(to: path, cancellation)
            return ListingEntry(name: name, kind: .directory)
        } catch {
            guard error.refusal != nil else { throw error }
            return nil
        }
    }

    private enum MachineStatus {
        case entry(ListingEntry)
        case nothing
        /// The server's `MLST` cannot be used.
        case unusable
    }

    private func machineStatus(
        of path: RemotePath, _ name: FileName, _ cancellation: Cancellation
    ) throws(FTPError) -> MachineStatus {
        let reply = try exchange(Command("MLST", try wirePath(path, cancellation)), cancellation)
        let refusal = FTPError.refused(verb: "MLST", reply)
        guard reply.category == .completion else {
            if refusal.isNotImplemented { return .unusable }
            // 550, and 450 on some: there is no such thing, unless the text says otherwise.
            if reply.code == 550 || reply.code == 450, !reply.saysDenied { return .nothing }
            throw refusal
        }
        guard let line = FactLine(parsing: reply) else { return .unusable }
        let kind: ListingEntry.Kind
        switch line.role {
        case .entry(let stated): kind = stated
        case .currentDirectory, .parentDirectory: kind = .directory
        }
        return .entry(
            ListingEntry(
                name: name, kind: kind, size: kind == .file ? line.size : nil, modified: line.modified,
                precision: line.precision, mode: line.mode,
                linkTarget: line.linkTarget.map(localBytes)))
    }

    /// What tells whether a file is still the same; as much of it as the server says.
    ///
    /// - Returns: `nil` when there is no such file any more.
    func version(of path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> FileVersion? {
        if server.known.hasMachineLook {
            guard let entry = try status(of: path, cancellation) else { return nil }
            return FileVersion(size: entry.size, modified: entry.modified, precision: entry.precision)
        }
        if sendsTogether, isImageType, server.known.hasSize, server.known.hasModificationTime {
            let wire = try wirePath(path, cancellation)
            let replies = try control.exchange([Command("SIZE", wire), Command("MDTM", wire)], cancellation)
            let size = try judgeSize(replies[0]).flatMap { $0 == 0 ? nil : $0 }
            let time = try judgeTime(replies[1]).map { server.known.clock.fromTold($0) }
            return FileVersion(size: size, modified: time)
        }
        // Some servers say 0 of every file; what is read then tells.
        let size = try size(of: path, cancellation).flatMap { $0 == 0 ? nil : $0 }
        return FileVersion(size: size, modified: try modificationTime(of: path, cancellation))
    }

    /// The size in bytes by `SIZE` (RFC 3659 §4); `nil` where the server does not say it.
    func size(of path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Int64? {
        guard server.known.hasSize else { return nil }
        // In ASCII mode SIZE is refused, or counts line ends twice.
        try useImageType(cancellation)
        let command = Command("SIZE", try wirePath(path, cancellation))
        var reply = try exchange(command, cancellation)
        if reply.code == 550, reply.mentions(["ascii"]) {
            // A server that has forgotten the type, as some do behind a listing.
            isImageType = false
            try useImageType(cancellation)
            reply = try exchange(command, cancellation)
        }
        return try judgeSize(reply)
    }

    private func judgeSize(_ reply: Reply) throws(FTPError) -> Int64? {
        if reply.code == 213 { return SizeReply.parse(reply.text) }
        let refusal = FTPError.refused(verb: "SIZE", reply)
        guard refusal.isNotImplemented else { throw refusal }
        server.learn { $0.hasSize = false }
        return nil
    }

    /// When the content was last changed by `MDTM` (RFC 3659 §3), in UTC as far as the server's zone is known; `nil` where
    /// the server does not say it.
    func modificationTime(of path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Timestamp? {
        try plainModificationTime(of: path, cancellation).map { server.known.clock.fromTold($0) }
    }

    /// What `MDTM` says, in whatever zone the server says it.
    func plainModificationTime(of path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Timestamp? {
        guard server.known.hasModificationTime else { return nil }
        return try judgeTime(try exchange(Command("MDTM", try wirePath(path, cancellation)), cancellation))
    }

    private func judgeTime(_ reply: Reply) throws(FTPError) -> Timestamp? {
        if reply.code == 213 { return ModificationTimeReply.parse(reply.text) }
        let refusal = FTPError.refused(verb: "MDTM", reply)
        guard refusal.isNotImplemented else { throw refusal }
        server.learn { $0.hasModificationTime = false }
        return nil
    }
}
