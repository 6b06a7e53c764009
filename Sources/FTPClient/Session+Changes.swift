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
        let digits = String(UInt64.random(in: 0...UInt64.max), radix: 16)
        guard let standIn = try? FileName(validating: ".ftpfs-\(digits)") else { throw refusal }
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

    func removeDirectory(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        // No server removes the directory in which a session is, on some not even the one of another session.
        if case .below(let here) = location, here.components.starts(with: path.components) {
            try returnToBase(cancellation)
        }
        try complete(Command("RMD", try wirePath(path, cancellation)), cancellation)
    }

    func removeFile(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        try complete(Command("DELE", try wirePath(path, cancellation)), cancellation)
    }

    /// `RNFR` and `RNTO` in lock step: nothing may come between them (RFC 959 §4.1.3).
    func rename(_ path: RemotePath, to target: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        if case .below = location { try returnToBase(cancellation) }
        let from = Command("RNFR", try wirePath(path, cancellation))
        let to = Command("RNTO", try wirePath(ofNew: target, cancellation))
        let reply = try exchange(from, cancellation)
        // 350 by the RFC; 2yz from servers that mean the same.
        guard reply.category == .intermediate || reply.category == .completion else {
            throw .refused(verb: from.verb, reply)
        }
        try complete(to, cancellation)
    }

    /// Sets when the content was last changed, by the first of `MFMT`, `MDTM time path` and `SITE UTIME` that works.
    ///
    /// A server without the setting form of `MDTM` looks for a file with that odd name and answers 550, which may as well
    /// be about the file. So a refusal by a method that has not worked yet leads to the next one, if the file is there
    /// and the words are not those of a refused *setting*; what is not implemented is struck out for the client.
    func setModificationTime(
        _ path: RemotePath, to time: Timestamp, _ cancellation: Cancellation
    ) throws(FTPError) {
        let wire = try wirePath(path, cancellation)
        let methods: [(ServerProfile.TimeMethod, String)] = [
            (.mfmt, "MFMT"), (.mdtm, "MDTM"), (.siteUTime, "SITE UTIME"),
        ]
        let known = server.known
        for (method, verb) in methods.drop(while: { $0.0 != known.time }) {
            // MDTM sets a time in the zone in which it tells times.
            let told = method == .mdtm ? known.clock.asTold(time) : time
            guard let text = TimeValue.format(told) else {
                throw .invalidArgument("a time outside of the years 0 to 9999")
            }
            let reply = try exchange(Command(verb, Array(text.utf8) + [0x20] + wire), cancellation)
            if reply.category == .completion, reply.code != 202, !isOldTime(reply, told, method) {
                server.learn { profile in
                    profile.time = method
                    profile.timeIsProven = true
                }
                return
            }
            let refusal = FTPError.refused(verb: verb, reply)
            // 501 is ProFTPD's answer to an MFMT that the system refused.
            let isMissing = reply.category == .completion || (refusal.isNotImplemented && reply.code != 501)
            if isMissing {
                server.learn { $0.demote(method) }
                continue
            }
            if method == .mfmt || known.timeIsProven || reply.saysDenied || reply.mentions(["not set"]) {
                throw refusal
            }
            guard try exists(path, cancellation) else { throw refusal }
        }
        throw .unsupported("set modification times (it has none of MFMT, MDTM with a time, SITE UTIME)")
    }

    /// Whether a positive answer to `MDTM time path` is that of the asking form: the present time, and not the new one.
    private func isOldTime(_ reply: Reply, _ time: Timestamp, _ method: ServerProfile.TimeMethod) -> Bool {
        guard method == .mdtm, let told = ModificationTimeReply.parse(reply.text) else { return false }
        return told.seconds != time.seconds
    }

    private func exists(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Bool {
        path.isRoot ? true : try status(of: path, cancellation) != nil
    }

    /// Sets the permission bits (`SITE CHMOD`: in no RFC, known to nearly all Unix servers).
    func setMode(_ path: RemotePath, to mode: UInt32, _ cancellation: Cancellation) throws(FTPError) {
        let missing = FTPError.unsupported("change permissions (it has no SITE CHMOD)")
        guard server.known.hasChangeMode else { throw missing }
        let octal = Array(String(mode & 0o7777, radix: 8).utf8)
        let command = Command("SITE CHMOD", octal + [0x20] + (try wirePath(path, cancellation)))
        do throws(FTPError) {
            try complete(command, cancellation)
        } catch {
            // 501 may be about this one path; the others are about the command.
            guard error.isNotImplemented || error.refusal?.code == 202, error.refusal?.code != 501 else { throw error }
            server.learn { $0.hasChangeMode = false }
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
