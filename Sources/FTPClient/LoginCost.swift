import CLinux
import SystemPackage

/// What it takes to open one more connection, and when that pays for work that is done ahead of anybody's wish.
///
/// Such work gains by going on at the same time as other work, and that gain is the wire's: while one connection waits for
/// the server, another one can too. What a login takes beyond the wire (looking the user up, checking the password, starting
/// a process) is work, on which the server spends the time that the other connections could have used. On a link of 20 ms
/// the wire is nearly all, and a second connection pays with the second listing. Where the server is the same machine the
/// wire is nothing: a walk of fifty directories is then slower with three logins than without, and only a long run, like
/// `cat` of hundreds of files, is faster.
struct LoginCost: Hashable, Sendable {
    /// From the first packet to the last answer.
    let duration: Duration
    /// Of a packet and its acknowledgement; `nil`: nobody knows how far the server is (behind a proxy).
    let roundTrip: Duration?

    /// How many round trips a login has (see ``Session``), so that the rest is work.
    private static let loginRoundTrips = 6
    /// How many a piece of work has, at least: the listing of a directory, a small file.
    private static let pieceRoundTrips = 2
    /// What is gained of a piece besides: this side takes one in while the server prepares the next. Measured with a server
    /// on the same two processors: 0.2 ms of 0.7.
    private static let overlap = Duration.microseconds(200)
    /// As many connections are usually opened at once, up to the default limit.
    private static let logins = 3
    /// How many keep both sides busy where no time passes on the way. On two processors, `cat` of 300 files took 241 ms of
    /// processor time of all sides with 4 connections, 248 with 3, 288 with 2, and 289 with 8.
    private static let busy = 4

    /// Up to how many connections may pay.
    var useful: Int {
        guard let roundTrip, roundTrip < Session.worthwhile else { return .max }
        return Self.busy
    }

    /// Whether further connections pay, so many pieces of work being expected.
    func pays(for pieces: Int) -> Bool {
        guard let roundTrip else { return true }
        // Beyond that the answer is clear, and nothing overflows.
        let pieces = min(max(0, pieces), 1_000_000)
        let work = max(.zero, duration - roundTrip * Self.loginRoundTrips)
        return (roundTrip * Self.pieceRoundTrips + Self.overlap) * pieces > work * Self.logins
    }
}

extension ControlConnection {
    /// How long a packet and its acknowledgement take, as the kernel has seen it; `nil`: it does not say.
    var roundTrip: Duration? {
        let microseconds = clinux_tcp_minimum_round_trip(descriptor.rawValue)
        return microseconds < 0 ? nil : .microseconds(microseconds)
    }
}
