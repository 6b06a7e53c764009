import FTPProtocol
import Threading
import Vocabulary

/// How much a server takes at a time.
extension ServerProbe {
    /// How many logins are tried: twice what a mount uses by default.
    private static let mostLogins = 8

    static let limitSteps: [Step] = [
        Step(section: .limits, key: "pipelining", title: "several commands at once") { (run) throws(FTPError) in
            // Another session is given up if this one falls out of step by it.
            let session = try run.session()
            let commands = [Command("NOOP"), Command("PWD"), Command("TYPE", "I"), Command("PWD")]
            let codes = try session.control.exchange(commands, run.cancellation).map(\.code)
            let isInOrder = codes[1] == 257 && codes[3] == 257 && codes[0] / 100 == 2 && codes[2] / 100 == 2
            return .init(isInOrder)
        },
        Step(section: .limits, key: "connections", title: "logins at a time") { (run) throws(FTPError) in
            var sessions: [Session] = []
            defer { for session in sessions { session.control.quit() } }
            _ = try run.session()
            do throws(FTPError) {
                // One is there already.
                while sessions.count < mostLogins - 1 { sessions.append(try run.newSession(run.server)) }
            } catch {
                if error == .cancelled { throw error }
                return .init(.number(Int64(sessions.count + 1), .count), "\(error)")
            }
            return .init(.number(Int64(mostLogins), .count), "or more; no further were tried")
        },
    ]
}
