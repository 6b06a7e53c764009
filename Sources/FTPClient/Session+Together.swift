import FTPProtocol
import Logging
import Threading

/// Several commands in one packet: one round trip for all of them.
///
/// Only on servers known to read their commands line by line (``ServerProfile/takesCommandsTogether``), and only commands of
/// which each does no harm when the one before it has failed: `REST` and `RETR`, `RNFR` and `RNTO`, `SIZE` and `MDTM`,
/// `SIZE` and `APPE` or `REST` (`SizeLook.swift`), what follows an upload (`FollowingCommands.swift`), the settings behind a
/// login, `EPSV` behind a transfer (`Session+Armed.swift`), `STAT` and its mark
/// (`Session+StatusListing.swift`). Everywhere else a command goes out when the one before it has been answered.
///
/// A server that then answers something that cannot be the answer is out of step: it is not sent several commands any more,
/// and the session is realigned before its next use.
extension Session {
    /// Whether this server is sent several commands at once.
    var sendsTogether: Bool {
        guard server.configuration.pipelining == .automatic else { return false }
        let known = server.known
        return known.takesCommandsTogether && !known.answersOutOfStep
    }

    /// Notes that an answer cannot be that to the command whose turn it was.
    func noteOutOfStep(_ what: String) {
        isOutOfStep = true
        server.learn { $0.answersOutOfStep = true }
        logger.warning(
            "[\(control.id)] \(what): the server loses its place; from now on it is sent one command at a time")
    }
}
