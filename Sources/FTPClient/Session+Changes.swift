import FTPProtocol
import Threading
import Vocabulary

/// What changes names and attributes on the server. Each blocks for the round trips of its commands.
extension Session {
    func makeDirectory(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        let wire = try wirePath(ofNew: path, cancellation)
        do throws(FTPError) {
            try complete(Command("MKD", wire), cancellation)
        } catch {
            guard error.refusal?.category == .permanentNegative, wire.contains(UInt8(ascii: "*")),
                try status(of: path, cancellation) == nil
            else { throw error }
            try makeDirectoryUnderStandIn(path, orThrow: error, cancellation)
        }
    }

    /// Makes a directory with a `*` in its path on a server that refuses that character (ProFTPD, in `MKD` only): under
    /// another name, seen from its parent, and then renamed.
    private func makeDirectoryUnderStandIn(
        _ path: RemotePath, orThrow refusal: FTPError, _ cancellation: Cancellation
    ) throws(FTPError) {
        guard let standIn = try? FileName(validating: ".ftpfs-\(Self.randomDigits())") else { throw refusal }
        do throws(FTPError) {
            try changeDirectory(to: path.parent, cancellation)
            try complete(Command("MKD", standIn.bytes), cancellation)
        } catch {
            throw error.refusal == nil ? error : refusal
        }
        do throws(FTPError) {
            try rename(path.parent.appending(standIn), to: path, cancellation)
        } catch {
            guard error.refusal != nil else { throw error }
            try removeDirectory(path.parent.appending(standIn), cancellation)
            throw refusal
        }
    }

    /// Sixteen hexadecimal digits: with `.ftpfs-` in front a name that the mount knows for one of its own.
    static func randomDigits() -> String {
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    func removeDirectory(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        // No server removes the directory in which a session is.
        if isInside(path) { try returnToBase(cancellation) }
        try complete(Command("RMD", try wirePath(path, cancellation)), cancellation)
    }

    /// How many lines a fresh listing of a directory has, also those that were not understood: 0 only for a directory
    /// that is empty as far as this server shows.
    func lineCount(of path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Int {
        let listing = try list(path, checking: false, cancellation)
        return listing.entries.count + skippedLines + (listing.isComplete ? 0 : 1)
    }

    func removeFile(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        try complete(Command("DELE", try wirePath(path, cancellation)), cancellation)
    }

    /// `RNFR` and `RNTO`; nothing may come between them (RFC 959 §4.1.3). Behind a refused `RNFR` an `RNTO` is a "bad
    /// sequence of commands", so where the server can take that they go out together.
    ///
    /// A session whose `RNFR` was accepted and whose `RNTO` was not sent, because the request was cancelled in between, is
    /// out of step until ``recover(_:)`` has made the server forget it.
    func rename(_ path: RemotePath, to target: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        if case .below = location { try returnToBase(cancellation) }
        let from = Command("RNFR", try wirePath(path, cancellation))
        let to = Command("RNTO", try wirePath(ofNew: target, cancellation))
        if sendsTogether {
            let replies = try control.exchange([from, to], cancellation)
            try judgeRename(replies[0])
            guard replies[1].category == .completion, replies[1].code != 202 else {
                throw .refused(verb: to.verb, replies[1])
            }
            return
        }
        try judgeRename(try exchange(from, cancellation))
        hasPendingRename = true
        do throws(FTPError) {
            try complete(to, cancellation)
            hasPendingRename = false
        } catch {
            // Only an RNTO that was not sent leaves the server waiting for it.
            hasPendingRename = error == .cancelled && control.outstanding == nil
            throw error
        }
    }

    /// Looks whether an `RNFR` was accepted: by 350, says the RFC; with 2yz some servers mean the same.
    private func judgeRename(_ reply: Reply) throws(FTPError) {
        guard reply.category == .intermediate || reply.category == .completion else {
            throw .refused(verb: "RNFR", reply)
        }
    }

    /// Sets when the content was last changed, by the first of `MFMT`, `MDTM time path` and the two forms of `SITE UTIME`
    /// that works.
    ///
    /// A server without the setting form of `MDTM` looks for a file with that odd name and answers 550, which may as well
    /// be about the file. So a refusal by a method that has not worked yet leads to the next one, if the file is there
    /// and the words are not those of a refused *setting*; what is not implemented is struck out for the client.
    func setModificationTime(
        _ path: RemotePath, to wanted: Timestamp, _ cancellation: Cancellation
    ) throws(FTPError) {
        let wire = try wirePath(path, cancellation)
        let known = server.known
        for method in ServerProfile.TimeMethod.settable.drop(while: { $0 != known.time }) {
            // MDTM sets a time in the zone in which it tells times.
            let told = method == .mdtm ? known.clock.asTold(wanted) : wanted
            let command = try settingCommand(method, wire, told)
            let verb = command.verb
            let reply = try exchange(command, cancellation)
            if reply.category == .completion, reply.code != 202, !isOldTime(reply, told, method) {
                server.learn { profile in
                    profile.time = method
                    profile.timeIsProven = true
                }
                return
            }
            let refusal = FTPError.refused(verb: verb, reply)
            // 501 is ProFTPD's answer to an MFMT that the system refused, and Pure-FTPd's to the other form of UTIME.
            let isMissing =
                reply.category == .completion
                || (refusal.isNotImplemented && (reply.code != 501 || method == .siteUTime))
            if isMissing {
                // Where SITE UTIME is not known at all, its other form is not either.
                let isUnknown = method == .siteUTime && reply.code != 501
                server.learn { $0.demote(isUnknown ? .siteUTimeLong : method) }
                if isUnknown { break }
                continue
            }
            if method == .mfmt || known.timeIsProven || reply.saysDenied || reply.mentions(["not set"]) {
                throw refusal
            }
            guard try exists(path, cancellation) else { throw refusal }
        }
        throw .unsupported("set modification times (it has none of MFMT, MDTM with a time, SITE UTIME)")
    }

    private func settingCommand(
        _ method: ServerProfile.TimeMethod, _ wire: [UInt8], _ time: Timestamp
    ) throws(FTPError) -> Command {
        guard let text = TimeValue.format(time) else {
            throw .invalidArgument("a time outside of the years 0 to 9999")
        }
        let time = Array(text.utf8)
        let short = time + [0x20] + wire
        switch method {
        case .mfmt: return Command("MFMT", short)
        case .mdtm: return Command("MDTM", short)
        case .siteUTime: return Command("SITE UTIME", short)
        // Access, change and creation: servers that take three times set the second, and some of them the others too.
        case .siteUTimeLong:
            return Command("SITE UTIME", wire + [0x20] + time + [0x20] + time + [0x20] + time + Array(" UTC".utf8))
        case .none: throw .unsupported("set modification times")
        }
    }

    /// Whether a positive answer to `MDTM time path` is that of the asking form: the present time, and not the new one.
    private func isOldTime(_ reply: Reply, _ time: Timestamp, _ method: ServerProfile.TimeMethod) -> Bool {
        guard method == .mdtm, let told = ModificationTimeReply.parse(reply.text) else { return false }
        return told.seconds != time.seconds
    }

    private func exists(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Bool {
        path.isRoot ? true : try status(of: path, cancellation) != nil
    }

    /// Sets the permission bits (`SITE CHMOD`: in no RFC, known to nearly all Unix servers). Some answer 200 and do
    /// nothing; the next listing of the directory tells.
    ///
    /// Where a name with a blank is refused, it is tried in quotes: some servers take `SITE` apart at blanks.
    func setMode(_ path: RemotePath, to mode: UInt32, _ cancellation: Cancellation) throws(FTPError) {
        let missing = FTPError.unsupported("change permissions (it has no SITE CHMOD)")
        guard server.known.hasChangeMode else { throw missing }
        let octal = Array(String(mode & 0o7777, radix: 8).utf8)
        let wire = try wirePath(path, cancellation)
        let quoted = [0x22] + wire + [0x22]
        let canBeQuoted = wire.contains(0x20) && !wire.contains(0x22)
        let isQuoted = canBeQuoted && server.known.quotesSiteArguments
        do throws(FTPError) {
            try complete(Command("SITE CHMOD", octal + [0x20] + (isQuoted ? quoted : wire)), cancellation)
        } catch {
            if canBeQuoted, !isQuoted, error.refusal?.category == .permanentNegative,
                try exchange(Command("SITE CHMOD", octal + [0x20] + quoted), cancellation).category == .completion
            {
                server.learn { $0.quotesSiteArguments = true }
                return
            }
            // 501 may be about this one path; the others are about the command.
            guard error.isNotImplemented, error.refusal?.code != 501 else { throw error }
            server.learn { _ = $0.strikeOut("SITE CHMOD") }
            throw missing
        }
    }

    /// Makes a symbolic link (`SITE SYMLINK target path`: ProFTPD with mod_site_misc, and few others).
    func makeSymbolicLink(
        _ path: RemotePath, target: [UInt8], _ cancellation: Cancellation
    ) throws(FTPError) {
        let missing = FTPError.unsupported("make symbolic links (it has no SITE SYMLINK)")
        guard try offersSymbolicLinks(cancellation) else { throw missing }
        let wire = try wirePath(path, cancellation)
        let target = try wireBytes(target)
        // The command has no quoting: a blank would make three arguments of two.
        guard !target.isEmpty, !target.contains(0x20), !wire.contains(0x20) else {
            throw .unsupported("make symbolic links with a blank in a name (SITE SYMLINK has no quoting)")
        }
        try complete(Command("SITE SYMLINK", target + [0x20] + wire), cancellation)
    }

    private func offersSymbolicLinks(_ cancellation: Cancellation) throws(FTPError) -> Bool {
        let known = server.known
        if let offered = known.hasSymbolicLink { return offered }
        var offered = known.features?.words(of: "SITE").contains("SYMLINK") ?? false
        if !offered {
            let reply = try exchange(Command("SITE HELP"), cancellation)
            offered = reply.category == .completion && reply.mentions(["symlink"])
        }
        let learned = offered
        server.learn { $0.hasSymbolicLink = learned }
        return offered
    }
}
