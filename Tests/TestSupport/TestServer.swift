import FoundationEssentials
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// One of the four real FTP servers, or the one of `ftpfs serve`, run by `scripts/test-servers`.
///
/// Ended when the value goes; the shared ones end with the test process.
package final class TestServer: Sendable, CustomStringConvertible {
    /// Which server.
    package enum Kind: String, CaseIterable, Hashable, Sendable, CustomStringConvertible {
        case vsftpd
        case proFTPD = "proftpd"
        case pureFTPd = "pure-ftpd"
        case pyftpdlib
        /// `ftpfs serve`: limits do not apply to it.
        case embedded

        package var description: String { rawValue }

        /// Those real ones that this user can run.
        package static var real: [Kind] {
            geteuid() == 0 ? [.vsftpd, .proFTPD, .pureFTPd, .pyftpdlib] : [.proFTPD, .pyftpdlib]
        }

        /// How it can use TLS.
        package var ways: [Endpoint.Security] { self == .pureFTPd ? [.off, .explicit] : [.off, .explicit, .implicit] }

        /// Those that this user can run.
        package static var available: [Kind] { real + [.embedded] }
    }

    /// What the script prints for a server, as far as tests need it.
    private struct Report: Decodable {
        let host: String
        let port: UInt16
        let user: String
        let password: String
        let root: String
        // With TLS only.
        let ca: String?
        let tls_log: String?
        let tls_resumed: String?
        let tls_not_resumed: String?
    }

    package let kind: Kind
    /// Where it is.
    package let endpoint: Endpoint
    /// The directory that the user finds after the login.
    package let root: String
    private let name: String
    private let report: Report
    private let runDirectory: TemporaryDirectory
    private let limits: [String]

    package var host: String { endpoint.host }
    package var port: UInt16 { endpoint.port }
    package var user: String { endpoint.user }
    package var password: String { endpoint.password }

    /// What the script calls it: `vsftpd-explicit-6`.
    package var description: String { name }

    /// Starts a server for one test.
    ///
    /// - Parameters:
    ///   - security: how it uses TLS; then it requires that of logins and of data connections.
    ///   - isOld: it speaks TLS 1.2 and nothing newer.
    ///   - family: at 127.0.0.1 or at ::1.
    ///   - connectionsPerClient: how many control connections the server lets one client have.
    ///   - bytesPerSecond: how fast one transfer goes; 0: as fast as it can.
    ///   - timeZone: in which zone it lists times, where it can; UTC otherwise.
    ///   - listingLimit: how many entries Pure-FTPd shows of a directory.
    ///   - refusesMLSD: whether ProFTPD announces `MLSD` and `MLST`, and refuses them.
    package init(
        _ kind: Kind, _ security: Endpoint.Security = .off, isOld: Bool = false, _ family: Endpoint.Family = .ipv4,
        connectionsPerClient: Int = 50, bytesPerSecond: Int = 0, timeZone: String? = nil, listingLimit: Int? = nil,
        refusesMLSD: Bool = false
    ) throws {
        self.kind = kind
        name = Self.name(kind, security, isOld: isOld, family)
        let zone = timeZone.map { ["--time-zone", $0] } ?? []
        let limit = listingLimit.map { ["--listing-limit", String($0)] } ?? []
        let connections = ["--connections-per-client", String(connectionsPerClient)]
        let refusal = refusesMLSD ? ["--refuse-mlsd"] : []
        limits = connections + ["--rate", String(bytesPerSecond)] + zone + limit + refusal
        runDirectory = try TemporaryDirectory("server-\(name)")
        do {
            let output = try Self.script("start", name, runDirectory, limits)
            guard let first = try JSONDecoder().decode([Report].self, from: Data(output.utf8)).first else {
                throw TestFailure("test-servers printed no server: \(output)")
            }
            report = first
        }
        endpoint = Endpoint(
            host: report.host, port: report.port, user: report.user, password: report.password, security: security,
            authority: report.ca)
        root = report.root
    }

    /// What the script calls a server.
    package static func name(
        _ kind: Kind, _ security: Endpoint.Security, isOld: Bool = false, _ family: Endpoint.Family
    ) -> String {
        kind.rawValue + (security == .off ? "" : "-\(security.rawValue)") + (isOld ? "-tls12" : "")
            + (family == .ipv6 ? "-6" : "")
    }

    deinit {
        stop()
    }

    /// A server that all tests of this process share.
    package static func shared(_ kind: Kind) throws -> TestServer {
        try sharedServers.withLock { servers throws in
            if let server = servers[kind] { return server }
            if servers.isEmpty { atexit { TestServer.stopShared() } }
            let server = try TestServer(kind)
            servers[kind] = server
            return server
        }
    }

    /// The whole machine stops answering: neither the server nor its sessions run, their connections stay.
    package func pause() throws { try act("pause") }

    /// Goes on after ``pause()``.
    package func resume() throws { try act("resume") }

    /// The server and its sessions are killed, as when the machine loses its power.
    package func kill() throws { try act("kill") }

    /// Runs again at the same port, with the same files.
    package func restart() throws { try act("start") }

    /// Ends it. Its files stay until the value goes.
    package func stop() { try? act("stop") }

    /// How many data connections have resumed a TLS session and how many have not, as the server has written it down;
    /// `nil` for servers that do not.
    package func resumptions() throws -> (resumed: Int, others: Int)? {
        guard let log = report.tls_log, let resumed = report.tls_resumed, let others = report.tls_not_resumed else {
            return nil
        }
        let lines = Files.text(log).split(separator: "\n")
        func count(_ pattern: String) throws -> Int {
            let pattern = try Regex(pattern)
            return lines.count { $0.contains(pattern) }
        }
        return (try count(resumed), try count(others))
    }

    private func act(_ action: String) throws {
        _ = try Self.script(action, name, runDirectory, limits)
    }

    private static func script(
        _ action: String, _ name: String, _ run: TemporaryDirectory, _ limits: [String]
    ) throws -> String {
        let arguments = [
            Repository.script("test-servers"), action, name, "--run", run.path("run"), "--root",
            run.path("root"),
        ]
        // The first start on a machine downloads packages.
        let outcome = try Shell.run(arguments + limits, ["FTPFS": Repository.program], timeout: .seconds(300))
        guard outcome.succeeded else { throw TestFailure("test-servers \(action) \(name): \(outcome)") }
        return outcome.output
    }

    private static let sharedServers = Monitor<[Kind: TestServer]>([:])

    private static func stopShared() {
        let servers = sharedServers.withLock { servers in
            defer { servers = [:] }
            return Array(servers.values)
        }
        servers.forEach { $0.stop() }
    }
}
