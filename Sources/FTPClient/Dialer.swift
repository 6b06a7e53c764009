@preconcurrency import Glibc
import SystemPackage
import Threading

/// Makes the TCP connection to a server that may have several addresses (RFC 8305, "Happy Eyeballs", in small).
///
/// The addresses are tried in the system's order. Each has a brief head start before the next is tried beside it, so
/// that an address whose path is dead (IPv6 behind a broken router) costs that head start and not the whole limit. The
/// first that connects wins; the others are closed.
struct Dialer {
    /// The head start: the recommended delay of RFC 8305 §5.
    private static let headStart = Duration.milliseconds(250)

    private let host: String
    private var untried: ArraySlice<SocketAddress>
    private var attempts: [SocketTransport] = []
    private var lastFailure = Errno.noRouteToHost

    private init(_ host: String, _ addresses: [SocketAddress]) {
        self.host = host
        untried = Self.alternating(addresses)[...]
    }

    /// Resolves and connects. Blocks until the deadlines of `timeouts`, or that of `overall`.
    ///
    /// - Parameter phase: what a time-out is called.
    static func connect(
        to host: String, port: UInt16, _ family: NetworkSettings.Family, _ timeouts: ClientConfiguration.Timeouts,
        phase: FTPError.Phase = .connecting, overall: Deadline, _ cancellation: Cancellation
    ) throws(FTPError) -> SocketTransport {
        let resolving = Wait(.resolving, until: overall.earlier(.after(timeouts.resolve)), cancellation)
        let addresses = try Resolver.addresses(of: host, port: port, family, resolving)
        var dialer = Dialer(host, addresses)
        return try dialer.run(Wait(phase, until: overall.earlier(.after(timeouts.connect)), cancellation))
    }

    /// The control connection: directly, or through the proxy of the settings. Blocks as long.
    static func connectToServer(
        _ configuration: ClientConfiguration, overall: Deadline, _ cancellation: Cancellation
    ) throws(FTPError) -> SocketTransport {
        let (network, timeouts) = (configuration.network, configuration.timeouts)
        guard let proxy = network.proxy else {
            return try connect(
                to: configuration.host, port: configuration.port, network.family, timeouts, overall: overall,
                cancellation)
        }
        let transport: SocketTransport
        do throws(FTPError) {
            transport = try connect(
                to: proxy.host, port: proxy.port, network.family, timeouts, phase: .proxy, overall: overall,
                cancellation)
        } catch {
            guard case .unreachable(let host, let errno) = error else { throw error }
            throw .proxyFailed("cannot connect to the proxy \(host): \(errno)")
        }
        let wait = Wait(.proxy, until: overall.earlier(.after(timeouts.connect)), cancellation)
        do throws(FTPError) {
            try ProxyTunnel.open(proxy, over: transport, to: configuration.host, port: configuration.port, wait)
            return transport
        } catch {
            transport.close(abortively: false)
            throw error
        }
    }

    private mutating func run(_ wait: Wait) throws(FTPError) -> SocketTransport {
        do throws(FTPError) {
            while true {
                startNext()
                guard !attempts.isEmpty else { throw .unreachable(host: host, lastFailure) }
                if let connected = try awaitOne(wait) {
                    for other in attempts where other !== connected { other.close(abortively: false) }
                    return connected
                }
            }
        } catch {
            for attempt in attempts { attempt.close(abortively: false) }
            attempts = []
            throw error
        }
    }

    /// Begins the next attempt; those that fail at once are skipped.
    private mutating func startNext() {
        while let address = untried.popFirst() {
            do throws(FTPError) {
                attempts.append(try SocketTransport.connecting(to: address, nameForErrors: host))
                return
            } catch {
                if case .unreachable(_, let errno) = error { lastFailure = errno }
                if case .localFailure(let errno, _) = error { lastFailure = errno }
            }
        }
    }

    /// Waits for the attempts under way; `nil` when it is time to start another one.
    private mutating func awaitOne(_ wait: Wait) throws(FTPError) -> SocketTransport? {
        let step = untried.isEmpty ? wait.deadline : wait.deadline.earlier(.after(Self.headStart))
        while !attempts.isEmpty {
            let ready: [Readiness]
            do throws(FTPError) {
                ready = try Wait(wait.phase, until: step, wait.cancellation)
                    .poll(attempts.map { ($0.descriptor, .output) })
            } catch {
                if case .timedOut = error, !wait.deadline.hasPassed { return nil }
                throw error
            }
            var failed: [SocketTransport] = []
            for (attempt, state) in zip(attempts, ready) where !state.isEmpty {
                guard let errno = attempt.connectFailure() else { return attempt }
                lastFailure = errno
                failed.append(attempt)
            }
            for attempt in failed { attempt.close(abortively: false) }
            attempts.removeAll { attempt in failed.contains { $0 === attempt } }
        }
        return nil
    }

    /// The families in turn, beginning with that of the first address; the order within each stays.
    static func alternating(_ addresses: [SocketAddress]) -> [SocketAddress] {
        guard let preferred = addresses.first?.family else { return [] }
        var first = addresses.filter { $0.family == preferred }[...]
        var second = addresses.filter { $0.family != preferred }[...]
        var result: [SocketAddress] = []
        while !first.isEmpty || !second.isEmpty {
            if let address = first.popFirst() { result.append(address) }
            if let address = second.popFirst() { result.append(address) }
        }
        return result
    }
}
