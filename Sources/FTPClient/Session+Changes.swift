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

    /// `RNFR` and `RNTO`: nothing may come between them (RFC 959 §4.1.3).
    ///
    /// In one flight on servers that were seen to refuse an `RNTO` behind a refused `RNFR`: others may remember an earlier
    /// `RNFR`, and rename that file.
    func rename(_ path: RemotePath, to target: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        if case .below = location { try returnToBase(cancellation) }
        let from = Command("RNFR", try wirePath(path, cancellation))
        let to = Command("RNTO", try wirePath(ofNew: target, cancellation))
        let replies = try sequence([from, to], together: sendsTogether && server.known.renamesTogether, cancellation)
        // 350 by the RFC; 2yz from servers that mean the same.
        guard let first = replies.first, first.category == .intermediate || first.category == .completion else {
            throw .refused(verb: from.verb, replies.first ?? Reply(code: 500, lines: [[]]))
        }
        guard let last = replies.dropFirst().first, last.category == .completion, last.code != 202 else {
            throw .refused(verb: to.verb, replies.last ?? first)
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
            if reply.category == .completion, reply.code != 202, !reply.isOldTime(told, method) {
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

    /// The command by which a method sets a time.
    func settingCommand(
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
        let wire = try wirePath(path, cancellation)
        let quoted = [0x22] + wire + [0x22]
        let canBeQuoted = wire.contains(0x20) && !wire.contains(0x22)
        let isQuoted = canBeQuoted && server.known.quotesSiteArguments
        do throws(FTPError) {
            try complete(Self.changeMode(mode, isQuoted ? quoted : wire), cancellation)
        } catch {
            if canBeQuoted, !isQuoted, error.refusal?.category == .permanentNegative,
                try exchange(Self.changeMode(mode, quoted), cancellation).category == .completion
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

    /// Sets permission bits and time: in one flight where that is known to work, else one after the other.
    ///
    /// - Returns: what was refused, and why.
    func setAttributes(
        _ path: RemotePath, mode: UInt32, time: Timestamp, _ cancellation: Cancellation
    ) throws(FTPError) -> AttributesOutcome {
        var outcome = AttributesOutcome()
        var isModeSet = false
        var isTimeSet = false
        let known = server.known
        let wire = try wirePath(path, cancellation)
        if sendsTogether, known.timeIsProven, known.hasChangeMode, !wire.contains(0x20) {
            let told = known.time == .mdtm ? known.clock.asTold(time) : time
            let commands = [Self.changeMode(mode, wire), try settingCommand(known.time, wire, told)]
            let replies = try sequence(commands, together: true, cancellation)
            isModeSet = replies[0].category == .completion && replies[0].code != 202
            isTimeSet =
                replies[1].category == .completion && replies[1].code != 202
                && !replies[1].isOldTime(told, known.time)
        }
        // One that was refused is repeated alone, where what that means is known.
        if !isModeSet {
            outcome.modeError = try refusal { () throws(FTPError) in try setMode(path, to: mode, cancellation) }
        }
        if !isTimeSet {
            outcome.timeError = try refusal { () throws(FTPError) in
                try setModificationTime(path, to: time, cancellation)
            }
        }
        return outcome
    }

    /// What `body` says of a thing that cannot be done; what has broken is thrown.
    private func refusal(_ body: () throws(FTPError) -> Void) throws(FTPError) -> FTPError? {
        do throws(FTPError) {
            try body()
            return nil
        } catch {
            if case .unsupported = error { return error }
            guard error.refusal != nil else { throw error }
            return error
        }
    }

    /// `SITE CHMOD`, as its argument is written on most servers.
    static func changeMode(_ mode: UInt32, _ path: [UInt8]) -> Command {
        Command("SITE CHMOD", Array(String(mode & 0o7777, radix: 8).utf8) + [0x20] + path)
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

extension Reply {
    /// Whether a positive answer to `MDTM time path` is that of the asking form: the present time, and not the new one.
    func isOldTime(_ time: Timestamp, _ method: ServerProfile.TimeMethod) -> Bool {
        guard method == .mdtm, let told = ModificationTimeReply.parse(text) else { return false }
        return told.seconds != time.seconds
    }
}

/// What became of attributes that were to be set together.
package struct AttributesOutcome: Sendable {
    /// Why the mode was not set; `nil`: it was.
    package var modeError: FTPError?
    /// Why the time was not set; `nil`: it was.
    package var timeError: FTPError?
}
