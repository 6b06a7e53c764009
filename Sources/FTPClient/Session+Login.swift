import FTPProtocol
import Threading
import Vocabulary

extension Session {
    /// From the greeting to the base directory; the round trips are counted in `Session.swift`.
    func logIn(until overall: Deadline, _ cancellation: Cancellation) throws(FTPError) {
        let limit = overall.earlier(.after(timeouts.reply))
        try beginImplicitTLS(until: limit, cancellation)
        let greeting = try control.greeting(Wait(.greeting, until: limit, cancellation))
        try checkGreeting(greeting)
        self.greeting = greeting.lines.first { !$0.isEmpty } ?? []
        control.loginLimit = overall
        defer { control.loginLimit = nil }
        let isPatient = greeting.mentions(ServerProfile.greetingsOfPatientServers)
        let isTelnet = greeting.mentions(["proftpd"])
        let tellsTimesAlike = greeting.mentions(["vsftpd"])
        server.learn { profile in
            profile.takesCommandsTogether = isPatient
            if isTelnet { profile.doublesTelnetEscape = true }
            if isPatient { profile.restart.trustAll() }
            // vsftpd tells MDTM in the zone of LIST, whichever that is.
            if tellsTimesAlike { profile.clock.tellsAlike() }
        }
        try negotiateTLS(until: limit, cancellation)
        try authenticate(cancellation)
        try learnFeatures(cancellation)
        try enterBase(cancellation)
    }

    private func checkGreeting(_ greeting: Reply) throws(FTPError) {
        if greeting.category == .completion { return }
        if Self.saysTooMany(greeting) || greeting.code == 421 { throw .tooManyConnections(greeting) }
        throw .loginRefused(greeting)
    }

    /// `USER`, and what the server asks for after it (RFC 959 §5.4): 230 is enough at any step, 331 asks for the
    /// password, 332 for the account.
    private func authenticate(_ cancellation: Cancellation) throws(FTPError) {
        let configuration = server.configuration
        var command = Command("USER", configuration.user)
        // Each of the three is asked for at most once.
        for _ in 0..<3 {
            let reply = try answerToLogin(command, cancellation)
            switch reply.code {
            case 331 where command.verb == "USER":
                command = Command("PASS", configuration.password.bytes, isSecret: true)
            case 332 where command.verb != "ACCT":
                guard let account = configuration.account else { throw .loginRefused(reply) }
                command = Command("ACCT", account, isSecret: true)
            default:
                if reply.category == .completion { return }
                throw Self.saysTooMany(reply) ? .tooManyConnections(reply) : .loginRefused(reply)
            }
        }
        throw .protocolViolation("the login asks for more than user, password and account")
    }

    /// A 421 in the login is about the number of clients, not about a dead connection.
    private func answerToLogin(_ command: Command, _ cancellation: Cancellation) throws(FTPError) -> Reply {
        do throws(FTPError) {
            return try control.exchange(command, cancellation, phase: .login)
        } catch {
            if case .connectionLost(_, let reason) = error, reason.hasPrefix("421") {
                throw .tooManyConnections(Reply(code: 421, lines: [Array(reason.utf8.dropFirst(4))]))
            }
            throw error
        }
    }

    /// Whether a refusal is about how many are connected: servers say it with 421, but also with 530 and 500.
    static func saysTooMany(_ reply: Reply) -> Bool {
        reply.mentions([
            "too many", "max clients", "maximum number", "maximum conn", "connection limit",
            "connections from", "limit reached", "limit exceeded", "number of clients", "no more connections",
            "already logged in",
        ])
    }

    /// `FEAT`, once per client.
    private func learnFeatures(_ cancellation: Cancellation) throws(FTPError) {
        if server.known.features == nil {
            let features = Features(parsing: try exchange(Command("FEAT"), cancellation))
            server.learn { $0.learn(features) }
        }
        control.doublesTelnetEscape = server.known.doublesTelnetEscape
    }

    /// `OPTS UTF8 ON` and `OPTS MLST` where announced, and the base directory.
    private func enterBase(_ cancellation: Cancellation) throws(FTPError) {
        let known = server.known
        var commands = protectionCommands
        if known.features?.contains("UTF8") == true {
            // Some servers turn UTF8 on only for clients that have told their name.
            if known.features?.contains("CLNT") == true { commands.append(Command("CLNT", "ftpfs")) }
            commands.append(Command("OPTS", "UTF8 ON"))
        }
        // Together with others it costs nothing, and makes each listing shorter.
        if let selection = known.factSelection(exactly: known.takesCommandsTogether) { commands.append(selection) }
        let base = server.configuration.base.wirePath
        if let base { commands.append(Command("CWD", base)) }
        guard known.takesCommandsTogether else {
            for command in commands { try judgeEntry(command, try exchange(command, cancellation), cancellation) }
            return
        }
        commands.append(Command("TYPE", "I"))
        if known.root == .unknown { commands.append(Command("PWD")) }
        let replies = try control.exchange(commands, cancellation)
        for (command, reply) in zip(commands, replies) { try judgeEntry(command, reply, cancellation) }
    }

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

    /// vsftpd doubles 0xFF in replies, but not in commands. A name with two of them in a row is not to be expected.
    private static func withoutTelnetEscapes(_ path: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var isSecond = false
        for byte in path {
            isSecond = byte == 0xFF && result.last == 0xFF && !isSecond
            if !isSecond { result.append(byte) }
        }
        return result
    }

    /// Takes the answer to a `PWD` in the base directory.
    func learnRoot(_ reply: Reply) {
        var root = ServerProfile.Root.relative
        if reply.code == 257, var path = WorkingDirectoryReply.parse(reply.text), path.first == 0x2F {
            while path.count > 1, path.last == 0x2F { path.removeLast() }
            root = .absolute(Self.withoutTelnetEscapes(path))
        }
        let learned = root
        server.learn { $0.root = learned }
    }
}
