/// What servers do differently with data connections, and the command that some want before them.
enum DataFaults {
    /// `PRET command argument`: the transfer that comes, so that a server made of several machines can choose one before
    /// it opens a port (drftpd; in no RFC).
    static func pret(_ session: Session, _ argument: [UInt8]) -> Answer {
        guard session.dialect.quirks.contains(.wantsPreTransfer) else {
            return session.answer(.unknownCommand, ["argument": Array("PRET".utf8)])
        }
        session.announced = argument.prefix { $0 != 0x20 }.map { $0 & 0xDF }
        return Answer("200 OK, planning to use that next")
    }

    /// What `PASV` and `EPSV` are answered without a `PRET` before; `nil`: nothing is wrong.
    static func refusal(_ session: Session) -> Answer? {
        guard session.dialect.quirks.contains(.wantsPreTransfer), session.announced == nil else { return nil }
        return Answer("503 You need to use a client supporting PRET (PRE Transfer) to use PASV")
    }

    /// What a transfer is answered that is not the one announced; `nil`: nothing is wrong.
    static func refusal(_ session: Session, of verb: String) -> Answer? {
        guard session.dialect.quirks.contains(.wantsPreTransfer) else { return nil }
        defer { session.announced = nil }
        return session.announced == Array(verb.utf8) ? nil : Answer("503 That is not what PRET has announced")
    }

    /// Where a transfer begins after `REST` with this offset.
    static func restart(_ session: Session, _ offset: Int64) -> Int64 {
        let quirks = session.dialect.quirks
        if quirks.contains(.confirmsRestartOnly) { return 0 }
        return quirks.contains(.keepsRestartIn32Bits) ? offset & 0xFFFF_FFFF : offset
    }
}
