import FTPProtocol
import Logging
import Threading
import Vocabulary

/// The end of a login: encryption of data connections, settings, the base directory. On servers that are sent several
/// commands at once it is one round trip; and once a login has gone the usual way (`USER`, `PASS`, in), later ones are
/// one flight from `USER` on.
extension Session {
    /// What a login sends behind the password.
    private struct Entry {
        /// `PBSZ` and `PROT`.
        var protection: [Command] = []
        /// What the server may refuse: `CLNT`, `OPTS`.
        var offers: [Command] = []
        /// `CWD` to the base directory.
        var enter: Command?
    }

    private func entry() throws(FTPError) -> Entry {
        let known = server.known
        var entry = Entry(protection: protectionCommands)
        if known.features?.contains("UTF8") == true {
            if server.configuration.charset == nil {
                // Some servers turn UTF8 on only for clients that have told their name.
                if known.features?.contains("CLNT") == true { entry.offers.append(Command("CLNT", "ftpfs")) }
                entry.offers.append(Command("OPTS", "UTF8 ON"))
            } else {
                // Who names another set knows that the names are in it. IIS sends its own code page only behind this;
                // to others it means nothing.
                entry.offers.append(Command("OPTS", "UTF8 OFF"))
            }
        }
        // Together with others it costs nothing, and makes each listing shorter.
        if let selection = known.factSelection(exactly: sendsTogether) { entry.offers.append(selection) }
        if let base = server.configuration.base.wirePath { entry.enter = Command("CWD", try wireBytes(base)) }
        return entry
    }

    /// `OPTS UTF8` and `OPTS MLST` where announced, and the base directory.
    func enterBase(_ cancellation: Cancellation) throws(FTPError) {
        let entry = try entry()
        if sendsTogether, server.known.shunned.isEmpty { return try enterTogether(entry, behind: [], cancellation) }
        for command in entry.protection { try judgeEntry(command, try exchange(command, cancellation), cancellation) }
        for command in entry.offers { _ = try offer(command, cancellation) }
        if let enter = entry.enter { try judgeEntry(enter, try exchange(enter, cancellation), cancellation) }
    }

    /// Sends everything in one flight.
    ///
    /// - Parameter login: `USER` and `PASS`, if they have not been sent.
    private func enterTogether(
        _ entry: Entry, behind login: [Command], _ cancellation: Cancellation
    ) throws(FTPError) {
        var commands = login + entry.protection + entry.offers
        if let enter = entry.enter { commands.append(enter) }
        commands.append(Command("TYPE", "I"))
        if server.known.root == .unknown { commands.append(Command("PWD")) }
        let replies = try control.exchange(commands, andDeferred: arming(), cancellation)
        try judgeLogin(replies.prefix(login.count))
        for (command, reply) in zip(commands, replies).dropFirst(login.count) {
            try judgeEntry(command, reply, cancellation)
        }
    }

    // MARK: - From the user name on

    /// Logs in and enters in one flight, on a server where an earlier login went the usual way.
    ///
    /// - Returns: false where it has to be done step by step.
    func logInTogether(_ cancellation: Cancellation) throws(FTPError) -> Bool {
        let known = server.known
        guard sendsTogether, known.hasUsualLogin, known.shunned.isEmpty, known.features != nil,
            known.preparation.isEmpty
        else { return false }
        control.doublesTelnetEscape = server.configuration.telnetEscape ?? known.doublesTelnetEscape
        let entry = try entry()
        let login = [userCommand, passwordCommand]
        try sayingWhyItEnds { () throws(FTPError) in try enterTogether(entry, behind: login, cancellation) }
        return true
    }

    /// Looks at the answers to `USER` and `PASS`.
    private func judgeLogin(_ replies: ArraySlice<Reply>) throws(FTPError) {
        guard let user = replies.first, let password = replies.last else { return }
        if user.code == 331, password.category == .completion { return }
        // The next login goes step by step, and finds out what is different.
        server.learn { profile in
            profile.hasUsualLogin = false
            profile.lessons += 1
        }
        throw refusal(user.code == 331 ? password : user, server.known.credentials)
    }

    // MARK: - The answers

    private func judgeEntry(_ command: Command, _ reply: Reply, _ cancellation: Cancellation) throws(FTPError) {
        switch command.verb {
        case "PBSZ", "PROT":
            try judgeProtection(command, reply, cancellation)
        case "CWD":
            guard reply.category == .completion else {
                throw .baseDirectoryRefused(path: command.argument ?? [], reply)
            }
        case "TYPE":
            isImageType = reply.category == .completion
        case "PWD":
            learnRoot(reply)
        default:
            // CLNT and OPTS are offers; what the server makes of them does not matter.
            return
        }
    }
}
