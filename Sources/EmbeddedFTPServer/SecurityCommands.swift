/// TLS, as RFC 4217 puts it into the commands of RFC 2228.
enum SecurityCommands {
    /// AUTH. The handshake follows the reply: see ``Session``.
    static func auth(_ session: Session, _ argument: [UInt8]) -> Answer {
        let fields: Answer.Fields = ["argument": argument]
        let mechanism = String(decoding: argument, as: UTF8.self).uppercased()
        guard !session.control.isSecure else { return session.answer(.securityIsOn) }
        guard session.core.tls?.policy.mechanisms.contains(mechanism) == true else {
            return session.answer(.securityMechanismUnknown, fields)
        }
        // Whoever was logged in was so without protection (RFC 4217 §4.3).
        (session.user, session.isLoggedIn) = (nil, false)
        session.startsSecurity = true
        return session.answer(.securityAccepted, fields)
    }

    /// PBSZ: the size of blocks is of no use with TLS, but it has to be set, to 0 (RFC 4217 §8).
    static func pbsz(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard session.control.isSecure else { return session.answer(.securityFirst) }
        session.hasBufferSize = true
        return session.answer(.bufferSizeSet)
    }

    /// PROT (RFC 4217 §9).
    static func prot(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard session.control.isSecure, let policy = session.core.tls?.policy else {
            return session.answer(.securityFirst)
        }
        guard session.hasBufferSize else { return session.answer(.bufferSizeFirst) }
        switch String(decoding: argument, as: UTF8.self).uppercased() {
        case "C":
            guard !policy.requiresTLSForData else { return session.answer(.dataMustBePrivate) }
            session.isDataPrivate = false
            return session.answer(.dataIsClear)
        case "P":
            guard !policy.refusesPrivateData else { return session.answer(.privateDataRefused) }
            session.isDataPrivate = true
            return session.answer(.dataIsPrivate)
        case "S", "E": return session.answer(.protectionUnsupported, ["argument": argument])
        default: return session.answer(.protectionUnknown, ["argument": argument])
        }
    }
}
