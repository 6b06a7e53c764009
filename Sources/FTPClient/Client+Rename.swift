import FTPProtocol
import Logging
package import Threading
package import Vocabulary

extension Client {
    /// Renames.
    ///
    /// Where the server's `RNTO` does not replace, the file at the target is moved aside first, and put back if the rename
    /// then fails; ``ReplacingRename`` says how. A server whose `250` has not been seen to be true yet is looked at once.
    ///
    /// - Parameter replacing: whether a file at the target may be replaced. Without it the server's answer stands, and many
    ///   servers replace without being asked.
    package func rename(
        _ path: RemotePath, to target: RemotePath, replacing: Bool = true, cancellation: Cancellation
    ) throws(FTPError) {
        let aside = target.parent.appending(try Self.hiddenName())
        let paths: [ReplacingRename.Name: RemotePath] = [.source: path, .target: target, .aside: aside]
        var machine = ReplacingRename(replaces: replacing)
        var action = machine.first
        while true {
            // Once the old file is out of its place, everything is done whether or not anybody waits.
            let wish = machine.isCommitted ? Cancellation() : cancellation
            let outcome: ReplacingRename.Outcome
            switch action {
            case .rename(let from, let to):
                outcome = attempt { () throws(FTPError) in try renameOnce(paths[from], paths[to], wish) }
            case .remove(let name):
                outcome = attempt { () throws(FTPError) in
                    if let path = paths[name] { try removeFile(path, cancellation: wish) }
                }
            case .look:
                outcome = look(at: paths, wish)
            case .succeed(let leftover):
                if leftover { logger.warning("\(aside): what a rename has replaced could not be removed") }
                return
            case .fail(let error, let isStranded):
                if isStranded {
                    logger.error("renaming \(path) to \(target) failed; what was \(target) may be at \(aside) now")
                }
                throw error
            }
            action = machine.ended(outcome)
        }
    }

    private var logger: Logger { server.configuration.logger }

    /// A name that no program makes.
    private static func hiddenName() throws(FTPError) -> FileName {
        do throws(FileName.Invalid) {
            return try FileName(validating: ".ftpfs-\(Session.randomDigits())")
        } catch {
            throw .invalidArgument("a hidden name: \(error)")
        }
    }

    private func attempt(_ body: () throws(FTPError) -> Void) -> ReplacingRename.Outcome {
        do throws(FTPError) {
            try body()
            return .done
        } catch {
            switch error {
            case .refused, .unsupported, .invalidArgument: return .refused(error)
            default: return .unknown(error)
            }
        }
    }

    /// One rename, settled by a look where its answer was lost.
    private func renameOnce(
        _ path: RemotePath?, _ target: RemotePath?, _ cancellation: Cancellation
    ) throws(FTPError) {
        guard let path, let target else { return }
        func isDone(_ session: Session) throws(FTPError) -> Bool {
            if try session.status(of: path, cancellation) != nil { return false }
            return try session.status(of: target, cancellation) != nil
        }
        try withoutSessions(in: path) { () throws(FTPError) in
            try change(
                cancellation, { (session) throws(FTPError) in try session.rename(path, to: target, cancellation) },
                isDone: isDone)
        }
        guard !server.known.renameIsProven else { return }
        guard try ask(cancellation, isDone) else {
            let reply = Reply(code: 250, lines: [Array("it said that it was done, and has done nothing".utf8)])
            throw .refused(verb: "RNTO", reply)
        }
        server.learn { $0.renameIsProven = true }
    }

    /// What there is at the three places.
    private func look(
        at paths: [ReplacingRename.Name: RemotePath], _ cancellation: Cancellation
    ) -> ReplacingRename.Outcome {
        do throws(FTPError) {
            let found = try ask(cancellation) { (session) throws(FTPError) in
                try session.status(ofAll: Array(paths.values), cancellation)
            }
            let entries = paths.compactMapValues { found[$0] }
            return .found(
                ReplacingRename.Places(
                    source: entries[.source] != nil, target: entries[.target] != nil, aside: entries[.aside] != nil,
                    areFiles: [entries[.source], entries[.target]].allSatisfy { $0?.kind != .directory }))
        } catch {
            return .unseen(error)
        }
    }
}

extension Session {
    /// A look at several things: by `MLST` each, or by one listing of each directory.
    func status(
        ofAll paths: [RemotePath], _ cancellation: Cancellation
    ) throws(FTPError) -> [RemotePath: ListingEntry] {
        var found: [RemotePath: ListingEntry] = [:]
        if server.known.hasMachineLook {
            for path in paths { found[path] = try status(of: path, cancellation) }
            return found
        }
        for parent in Set(paths.map(\.parent)) {
            for entry in try list(parent, cancellation).entries { found[parent.appending(entry.name)] = entry }
        }
        return found.filter { paths.contains($0.key) }
    }
}
