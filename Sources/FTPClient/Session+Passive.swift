import FTPProtocol
import SystemPackage
import Threading

/// Data connections that this end makes: `EPSV` (RFC 2428 §3) and `PASV` (RFC 959 §4.1.2).
///
/// - The connection goes to the address of the control connection, at the port that the reply names. The address in a 227
///   is not looked at: behind address translation it is wrong, and otherwise it is the same, or an attempt to make this
///   client connect elsewhere (CVE-2026-28295 in another client). With ``NetworkSettings/PassiveHost/server`` it counts
///   where it can be true; see ``HostAddress/passiveHost(named:peer:)``.
/// - A port below 1024 is not connected to: no FTP server has its data there, and a server that names one wants something
///   sent to another service of its machine.
/// - `EPSV ALL` is never sent: it forbids every other way, and breaks servers that do not know it.
/// - Through a proxy the connection goes to the name of the server as the proxy resolves it.
/// - Servers that are made of several machines want to know the transfer first (`PRET`), so that they can choose one.
extension Session {
    /// The lowest port that is not reserved for services of the system (RFC 6335 §6).
    private static let lowestPort: UInt16 = 1024

    func openPassive(
        _ method: DataMethod, for command: Command, within limit: Duration, _ cancellation: Cancellation
    ) throws(Setback) -> PendingData {
        try connect(to: try askForPort(method, command, cancellation), method, within: limit, cancellation)
    }

    /// Begins to connect to the port that the server has named. Waits only for a proxy.
    func connect(
        to reply: Reply, _ method: DataMethod, within limit: Duration, _ cancellation: Cancellation
    ) throws(Setback) -> PendingData {
        let refusal = FTPError.refused(verb: method.rawValue, reply)
        guard reply.category == .completion else {
            // 425 and the like: it has no port free just now.
            throw reply.category == .transientNegative ? .passing(refusal) : .unknownMethod(refusal)
        }
        let named: (address: [UInt8], port: UInt16)?
        if method == .extendedPassive {
            named = PassiveReply.parseExtended(reply.text).map { ([], $0) }
        } else {
            named = PassiveReply.parse(reply.text)
        }
        guard let named else { throw .unknownMethod(refusal) }
        guard named.port >= Self.lowestPort else {
            throw .unknownMethod(
                .protocolViolation("a data connection to port \(named.port), which is no FTP server's"))
        }
        do throws(FTPError) {
            return try connectPassive(named.address, named.port, within: limit, cancellation)
        } catch {
            switch error {
            case .unreachable, .proxyFailed, .timedOut: throw .method(error)
            default: throw .final(error)
            }
        }
    }

    /// Asks for a port, and says before for which transfer, where the server wants that.
    private func askForPort(
        _ method: DataMethod, _ command: Command, _ cancellation: Cancellation
    ) throws(Setback) -> Reply {
        do throws(FTPError) {
            if server.known.wantsPreTransfer { try announce(command, cancellation) }
            let reply = try exchange(Command(method.rawValue), cancellation)
            guard reply.category == .permanentNegative, !server.known.wantsPreTransfer, reply.mentions(["pret"]) else {
                return reply
            }
            server.learn { $0.wantsPreTransfer = true }
            try announce(command, cancellation)
            return try exchange(Command(method.rawValue), cancellation)
        } catch {
            throw .final(error)
        }
    }

    /// Tells which transfer comes (`PRET`, of distributed servers; in no RFC).
    private func announce(_ command: Command, _ cancellation: Cancellation) throws(FTPError) {
        let words = Array(command.verb.utf8) + (command.argument.map { [0x20] + $0 } ?? [])
        let reply = try exchange(Command("PRET", words), cancellation)
        guard reply.category == .permanentNegative || reply.category == .transientNegative else { return }
        // The server looks for the file already now: its refusal is the one of the transfer.
        let refusal = FTPError.refused(verb: command.verb, reply)
        guard refusal.isNotImplemented else { throw refusal }
        server.learn { $0.wantsPreTransfer = false }
    }

    private func connectPassive(
        _ address: [UInt8], _ port: UInt16, within limit: Duration, _ cancellation: Cancellation
    ) throws(FTPError) -> PendingData {
        let settings = server.configuration.network
        let peer = try control.peer()
        // What is known of the server's own place in the network.
        let place = settings.proxy == nil ? peer.host : HostAddress(server.configuration.host)
        let chosen = settings.passiveHost == .server ? HostAddress.passiveHost(named: address, peer: place) : nil
        let target = chosen.map { SocketAddress($0, port: port) } ?? peer.withPort(port)
        guard let proxy = settings.proxy else {
            let data = try SocketTransport.connecting(to: target, nameForErrors: target.description)
            data.configureForData()
            return PendingData(connecting: data, logger)
        }
        let host = chosen?.description ?? server.configuration.host
        let data = try SocketTransport.connecting(to: peer, nameForErrors: proxy.host)
        do throws(FTPError) {
            data.configureForData()
            let wait = Wait(.proxy, for: limit, cancellation)
            try wait.poll(data.descriptor, .output)
            if let errno = data.connectFailure() { throw .unreachable(host: proxy.host, errno) }
            try ProxyTunnel.open(proxy, over: data, to: host, port: port, wait)
            return PendingData(made: data, logger)
        } catch {
            data.close(abortively: true)
            throw error
        }
    }
}
