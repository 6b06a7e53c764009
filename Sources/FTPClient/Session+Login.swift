import FTPProtocol
import Logging
import Threading
import Vocabulary

/// From the greeting to the base directory; the round trips are counted in `Session.swift`.
///
/// A login that fails in a way that teaches something is made again at once, on a new connection
/// (``Session/establish(_:id:_:)``): without a command that made the server hang up or fall silent (`FEAT` in front of
/// some proxies), or with user and password in the character set of the server. A wrong password teaches nothing.
extension Session {
    /// How often a login is made again because the last one taught something: `FEAT` may be lost twice before it is left
    /// out, and the two forms of the password come on top.
    private static let maximumLessons = 4

    /// Connects and logs in. Blocks until done, at most `timeouts.establish`.
    static func establish(
        _ server: SharedServer, id: Int, _ cancellation: Cancellation
    ) throws(FTPError) -> Session {
        let overall = Deadline.after(server.configuration.timeouts.establish)
        var lessons = 0
        while true {
            let known = server.known.lessons
            do throws(FTPError) {
                return try attempt(server, id: id, overall, cancellation)
            } catch {
                lessons += 1
                guard server.known.lessons > known, lessons <= maximumLessons, !overall.hasPassed else { throw error }
                server.configuration.logger.info("[\(id)] \(error); trying another way")
            }
        }
    }

    func logIn(until overall: Deadline, _ cancellation: Cancellation) throws(FTPError) {
        let limit = overall.earlier(.after(timeouts.reply))
        try beginImplicitTLS(until: limit, cancellation)
        let greeting = try control.greeting(Wait(.greeting, until: limit, cancellation))
        try checkGreeting(greeting)
        let line = greeting.lines.first { !$0.isEmpty } ?? []
        self.greeting = line
        control.loginLimit = overall
        defer { control.loginLimit = nil }
        server.learn { profile in
            profile.greeting = line
            profile.learn(greeting: greeting)
        }
        try negotiateTLS(until: limit, cancellation)
        if try logInTogether(cancellation) { return }
        try authenticate(cancellation)
        try learnFeatures(cancellation)
        control.doublesTelnetEscape = server.configuration.telnetEscape ?? server.known.doublesTelnetEscape
        try prepare(cancellation)
        try enterBase(cancellation)
    }

    private func checkGreeting(_ greeting: Reply) throws(FTPError) {
        if greeting.category == .completion { return }
        if greeting.says(.tooManyConnections) || greeting.code == 421 { throw .tooManyConnections(greeting) }
        throw .loginRefused(greeting)
    }

    // MARK: - User and password

    /// `USER`, and what the server asks for after it (RFC 959 §5.4): 230 is enough at any step, 331 asks for the
    /// password, 332 for the account.
    private func authenticate(_ cancellation: Cancellation) throws(FTPError) {
        let form = server.known.credentials
        var command = userCommand
        var isGreetingRepeated = false
        // Each of the three is asked for at most once; and a second greeting may stand in the place of an answer.
        for _ in 0..<4 {
            var reply = try answerToLogin(command, cancellation)
            if isGreetingRepeated, command.verb == "PASS", reply.code == 331 {
                // That was still the answer to USER.
                reply = try control.finalReply(Wait(.login, until: loginLimit, cancellation))
            }
            switch reply.code {
            case 220 where command.verb == "USER":
                // The greeting once more, and the answer to USER behind it; or a server that says 220 for 230. Sending
                // the password is right for both.
                isGreetingRepeated = true
                command = passwordCommand
            case 331 where command.verb == "USER":
                command = passwordCommand
            case 332 where command.verb != "ACCT":
                guard let account = server.configuration.account else { throw .loginRefused(reply) }
                command = Command("ACCT", credential(account, form), isSecret: true)
            default:
                let isIn = reply.category == .completion || (isGreetingRepeated && reply.code == 503)
                guard isIn else { throw refusal(reply, form) }
                let isUsual = command.verb == "PASS" && !isGreetingRepeated
                server.learn { $0.hasUsualLogin = isUsual }
                if isGreetingRepeated { try control.realign(Wait(.login, until: loginLimit, cancellation)) }
                return
            }
        }
        throw .protocolViolation("the login asks for more than user, password and account")
    }

    var userCommand: Command { Command("USER", credential(server.configuration.user, server.known.credentials)) }

    var passwordCommand: Command {
        Command("PASS", credential(server.configuration.password.bytes, server.known.credentials), isSecret: true)
    }

    private var loginLimit: Deadline {
        let limit = Deadline.after(timeouts.reply)
        return limit.earlier(control.loginLimit ?? limit)
    }

    private func answerToLogin(_ command: Command, _ cancellation: Cancellation) throws(FTPError) -> Reply {
        guard command.verb == "PASS", sendsTogether, server.known.features == nil, server.known.shunned.isEmpty else {
            return try sayingWhyItEnds { () throws(FTPError) in
                try control.exchange(command, cancellation, phase: .login)
            }
        }
        // Behind a refused password the answer says nothing, and does no harm.
        let replies: [Reply]
        do throws(FTPError) {
            replies = try sayingWhyItEnds { () throws(FTPError) in
                try control.exchange([command, Command("FEAT")], cancellation)
            }
        } catch {
            noteLoss(over: "FEAT", error)
            throw error
        }
        if replies[0].category == .completion {
            let features = Features(parsing: replies[1])
            server.learn { $0.learn(features) }
        }
        return replies[0]
    }

    /// Runs a part of the login. A 421 in it is about the number of clients, not about a dead connection.
    func sayingWhyItEnds<Result>(_ body: () throws(FTPError) -> Result) throws(FTPError) -> Result {
        do throws(FTPError) {
            return try body()
        } catch {
            if case .connectionLost(_, let reason) = error, reason.hasPrefix("421") {
                let reply = Reply(code: 421, lines: [Array(reason.utf8.dropFirst(4))])
                // Pure-FTPd hangs up on who logs in without TLS where that is demanded.
                throw reply.mentionsEncryption ? .loginRefused(reply) : .tooManyConnections(reply)
            }
            throw error
        }
    }

    private func credential(_ bytes: [UInt8], _ form: ServerProfile.CredentialsForm) -> [UInt8] {
        guard form == .inCharset else { return bytes }
        return server.configuration.charset?.wire(bytes) ?? bytes
    }

    /// What a refusal means: servers say that they are full with 421, but also with 530 and 500. Where user or password
    /// can be written in another way, that is tried next.
    func refusal(_ reply: Reply, _ form: ServerProfile.CredentialsForm) -> FTPError {
        if reply.says(.tooManyConnections) { return .tooManyConnections(reply) }
        let configuration = server.configuration
        let given = [configuration.user, configuration.password.bytes]
        let canDiffer = given.contains { credential($0, .inCharset) != $0 }
        server.learn { profile in
            guard profile.credentials == form else { return }
            switch form {
            case .asGiven where canDiffer:
                profile.credentials = .inCharset
                profile.lessons += 1
            case .inCharset:
                profile.credentials = .bothRefused
            case .asGiven, .bothRefused:
                break
            }
        }
        return .loginRefused(reply)
    }

    // MARK: - Features

    /// Sends a command of the login that it can do without.
    ///
    /// - Returns: `nil` when this server cannot even be asked.
    func offer(_ command: Command, _ cancellation: Cancellation) throws(FTPError) -> Reply? {
        guard !server.known.shunned.contains(command.verb) else { return nil }
        let overall = control.loginLimit
        // A third of what is left: silence shall leave time for a login without it.
        let limit = Deadline.after(timeouts.establish / 3)
        control.loginLimit = limit.earlier(overall ?? limit)
        defer { control.loginLimit = overall }
        do throws(FTPError) {
            return try exchange(command, cancellation)
        } catch {
            noteLoss(over: command.verb, error)
            throw error
        }
    }

    /// Notes that a command which the login can do without ended the connection, or was not answered.
    private func noteLoss(over verb: String, _ error: FTPError) {
        switch error {
        case .timedOut: server.learn { $0.shun(verb, atOnce: true) }
        case .connectionLost: server.learn { $0.shun(verb, atOnce: false) }
        default: break
        }
    }

    /// `FEAT`, once per client.
    private func learnFeatures(_ cancellation: Cancellation) throws(FTPError) {
        guard server.known.features == nil else { return }
        let features = try offer(Command("FEAT"), cancellation).map { Features(parsing: $0) } ?? .none
        server.learn { $0.learn(features) }
    }

    /// What this product wants to hear before it talks like others.
    private func prepare(_ cancellation: Cancellation) throws(FTPError) {
        for command in server.known.preparation { _ = try offer(command, cancellation) }
    }

    /// Asks what system it is, once per client, and prepares the session for that.
    ///
    /// - Returns: whether there was anything to prepare.
    func prepareForSystem(_ cancellation: Cancellation) throws(FTPError) -> Bool {
        guard !server.known.hasAskedSystem else { return false }
        let reply = try exchange(Command("SYST"), cancellation)
        let isNew = server.learn { profile in
            profile.hasAskedSystem = true
            guard profile.preparation.isEmpty else { return false }
            profile.learn(system: reply)
            return !profile.preparation.isEmpty
        }
        if isNew { try prepare(cancellation) }
        return isNew
    }
}

extension ServerProfile {
    /// Notes that a command of the login, which it can do without, ended the connection or was not answered.
    ///
    /// A connection may be lost by chance, so that counts only the second time. Silence costs too much time for that.
    mutating func shun(_ verb: String, atOnce: Bool) {
        offerLosses[verb, default: 0] += 1
        if atOnce || offerLosses[verb, default: 0] > 1 { shunned.insert(verb) }
        lessons += 1
    }
}
