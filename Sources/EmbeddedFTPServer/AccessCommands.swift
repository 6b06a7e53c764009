/// Logging in, and talk about the session.
enum AccessCommands {
    static func user(_ session: Session, _ name: [UInt8]) -> Answer {
        guard !session.isLoggedIn else { return session.answer(.alreadyLoggedIn) }
        if session.core.tls?.policy.requiresTLSForLogin == true, !session.control.isSecure {
            let refusal = session.answer(.loginNeedsSecurity)
            // Pure-FTPd hangs up.
            session.isFinishing = refusal.code == 421
            return refusal
        }
        session.user = name
        return session.answer(.needPassword, ["argument": name])
    }

    static func pass(_ session: Session, _ password: [UInt8]) -> Answer {
        guard !session.isLoggedIn else { return session.answer(.alreadyLoggedIn) }
        guard let user = session.user else { return session.answer(.userFirst) }
        guard isAllowed(session, user, password) else {
            session.user = nil
            return session.answer(.loginFailed)
        }
        if !session.core.logIn(session.control.number) {
            session.isFinishing = true
            return session.answer(.tooManyConnections)
        }
        session.isLoggedIn = true
        return session.answer(.loggedIn, ["path": session.directory.absolute])
    }

    /// Anonymous users have two names (RFC 1635) and give whatever they like as their password.
    private static func isAllowed(_ session: Session, _ user: [UInt8], _ password: [UInt8]) -> Bool {
        let users = session.core.configuration.users
        let anonymous = ["anonymous", "ftp"].contains { Array($0.utf8) == user }
        if anonymous && users["anonymous"] != nil { return true }
        return users.contains { Array($0.key.utf8) == user && Array($0.value.utf8) == password }
    }

    static func acct(_ session: Session, _ account: [UInt8]) -> Answer { session.answer(.accountNotNeeded) }

    static func quit(_ session: Session, _ argument: [UInt8]) -> Answer {
        session.isFinishing = true
        return session.answer(.goodbye)
    }

    static func syst(_ session: Session, _ argument: [UInt8]) -> Answer { session.answer(.system) }
    static func noop(_ session: Session, _ argument: [UInt8]) -> Answer { session.answer(.noop) }
    static func help(_ session: Session, _ argument: [UInt8]) -> Answer { session.answer(.help) }
    static func clnt(_ session: Session, _ argument: [UInt8]) -> Answer { session.answer(.clientNoted) }
    static func allo(_ session: Session, _ argument: [UInt8]) -> Answer { session.answer(.allocated) }

    /// STAT with an argument is LIST over the control connection (RFC 959 §4.1.3).
    static func stat(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard !argument.isEmpty else { return session.answer(.status) }
        switch Listing.entries(session, argument) {
        case .failure(let error): return session.refusal(.listNotFound, argument, error)
        case .success(let entries):
            let now = currentTime()
            let lines = entries.map { session.dialect.listing.line($0, now: now) }
            let fields: Answer.Fields = ["argument": argument]
            return Answer(
                session.answer(.statusBegin, fields), lines, session.answer(.statusEnd, fields),
                asIs: session.dialect.quirks.contains(.listsStatusAsIs))
        }
    }

    static func feat(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard !session.dialect.features.isEmpty else { return session.answer(.unknownCommand) }
        let security = session.core.tls?.policy.featureLines ?? []
        let features = (security + session.dialect.features).map { feature in
            feature == Dialect.machineListingFeature ? machineListing(session) : Array(feature.utf8)
        }
        return Answer(session.answer(.featuresBegin), features, session.answer(.featuresEnd))
    }

    /// The feature MLST: all facts, those that are on with a star (RFC 3659 §7.8).
    private static func machineListing(_ session: Session) -> [UInt8] {
        let facts = session.dialect.facts.facts.map { fact in
            fact.rawValue + (session.facts.contains(fact) ? "*;" : ";")
        }
        return Array(("MLST " + facts.joined()).utf8)
    }

    static func opts(_ session: Session, _ argument: [UInt8]) -> Answer {
        let words = String(decoding: argument, as: UTF8.self).uppercased().split(separator: " ")
        switch words.first {
        case "UTF8" where words.count <= 2 && words.last != "OFF":
            return session.answer(.utf8On)
        case "MLST" where !session.dialect.lacks.contains("MLST"):
            let wanted = (words.dropFirst().first ?? "").split(separator: ";")
            session.facts = session.dialect.facts.facts.filter { wanted.contains(Substring($0.rawValue.uppercased())) }
            let facts = session.facts.map { $0.rawValue + ";" }.joined()
            return session.answer(.optionsSet, ["facts": Array(facts.utf8)])
        default:
            return session.answer(.optionsUnknown, ["argument": argument])
        }
    }
}
