import FTPProtocol
import Logging
import Threading
import Vocabulary

/// How the session finds out in which zone the server tells times; what it makes of the answers: ``ServerClock``.
extension Session {
    /// The entries of a `LIST` with their times in UTC. The first time that a time may be in another zone, one `MDTM` is
    /// sent, or a few.
    func inUniversalTime(
        _ entries: [ListingEntry], _ directory: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        if server.known.clock.wantsSample { try compareTimes(of: entries, in: directory, cancellation) }
        let clock = server.known.clock
        return clock.listsUniversalTime ? entries : entries.map { $0.inUniversalTime(clock) }
    }

    /// Compares what `LIST` and `MDTM` say of the newest file of which the minute is known.
    private func compareTimes(
        of entries: [ListingEntry], in directory: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) {
        let candidates = entries.filter { $0.kind == .file && $0.isLocalTime && $0.precision != .day }
        let newest = candidates.sorted { ($0.modified?.seconds ?? 0) > ($1.modified?.seconds ?? 0) }
        for entry in newest.prefix(ServerClock.maximumSamples) {
            guard let listed = entry.modified, server.known.clock.wantsSample, server.known.hasModificationTime else {
                return
            }
            let told = try toldTime(of: directory.appending(entry.name), cancellation)
            let finding = server.learn { [precision = entry.precision] in
                $0.clock.compare(listed: listed, precision, told: told, now: .now)
            }
            switch finding {
            case .offset(let seconds):
                logger.info("the server lists times in a zone at UTC\(Self.text(seconds))")
            case .ahead:
                logger.notice("the server tells times in a zone of its own, ahead of here; timezone= says which one")
            case .nothing:
                break
            }
        }
    }

    /// Looks at the time of a file that was just written, where that would tell the zone. A failure changes nothing. Whoever
    /// wrote it does not wait for that, where the server can take the next command meanwhile.
    func compareTime(ofUploaded path: RemotePath, _ cancellation: Cancellation) {
        guard server.known.clock.wantsUpload, server.known.hasModificationTime else { return }
        // What is deferred may be read much later.
        let now = Timestamp.now
        do throws(FTPError) {
            guard sendsTogether else { return learnZone(fromUpload: try toldTime(of: path, cancellation), at: now) }
            let command = Command("MDTM", try wirePath(path, cancellation))
            try control.deferReply(to: command) { [weak self] reply in
                self?.learnZone(fromUpload: reply.code == 213 ? ModificationTimeReply.parse(reply.text) : nil, at: now)
            }
        } catch {
            return
        }
    }

    private func learnZone(fromUpload told: Timestamp?, at now: Timestamp) {
        if let seconds = server.learn({ $0.clock.compare(uploaded: told, now: now) }) {
            logger.info("the server tells times in a zone at UTC\(Self.text(seconds))")
        }
    }

    /// What `MDTM` says, as it says it; `nil` when it does not.
    private func toldTime(of path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Timestamp? {
        do throws(FTPError) {
            return try plainModificationTime(of: path, cancellation)
        } catch {
            if error.refusal != nil { return nil }
            throw error
        }
    }

    /// `+5:45`, `-3:30`.
    private static func text(_ seconds: Int64) -> String {
        let minutes = abs(seconds) / 60
        return "\(seconds < 0 ? "-" : "+")\(minutes / 60):\(minutes % 60 < 10 ? "0" : "")\(minutes % 60)"
    }
}

extension ListingEntry {
    /// The entry with its time in UTC.
    func inUniversalTime(_ clock: ServerClock) -> ListingEntry {
        guard isLocalTime, let time = modified else { return self }
        var entry = self
        entry.modified = clock.fromListed(time)
        entry.isLocalTime = false
        return entry
    }
}
