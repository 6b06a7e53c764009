import FTPProtocol
@preconcurrency import Glibc
import SystemPackage
import Threading

/// Data connections that the server makes: `EPRT` (RFC 2428 §2) and `PORT` (RFC 959 §4.1.2).
///
/// This end listens at the local address of the control connection and announces that, or what the settings say where
/// the server sees another one. Where everything is allowed, a machine with a private address does not try this on a
/// public server: nothing could reach it.
extension Session {
    /// The two ends of the control connection, as far as data connections depend on them.
    struct DataEnds {
        /// `nil` through a proxy.
        let family: Int32?
        /// Whether the server may be able to connect to what would be announced.
        let isReachable: Bool

        /// Whether a way of making data connections fits.
        func allow(_ method: DataMethod) -> Bool {
            if method.isActive, !isReachable { return false }
            return method.fits(family)
        }
    }

    func dataEnds() throws(FTPError) -> DataEnds {
        let settings = server.configuration.network
        guard settings.proxy == nil else { return DataEnds(family: nil, isReachable: false) }
        let peer = try control.peer()
        guard settings.dataMode != .passive else { return DataEnds(family: peer.family, isReachable: false) }
        if let address = settings.activeAddress {
            return DataEnds(family: peer.family, isReachable: address.family == peer.family)
        }
        let isPrivate = try control.local().host?.scope == .local && peer.host?.scope == .global
        return DataEnds(family: peer.family, isReachable: settings.dataMode == .active || !isPrivate)
    }

    func openActive(_ method: DataMethod, _ cancellation: Cancellation) throws(Setback) -> PendingData {
        let listener: DataListener
        let peer: HostAddress?
        let reply: Reply
        do throws(FTPError) {
            let settings = server.configuration.network
            peer = try control.peer().host
            listener = try DataListener.open(
                at: try control.local(), ports: settings.activePorts, turn: server.nextTurn())
            guard let host = settings.activeAddress ?? listener.address.host else {
                throw .unsupported("be told where to connect to")
            }
            reply = try exchange(Self.announcement(method, host, listener.address.port), cancellation)
        } catch {
            throw .final(error)
        }
        guard reply.category == .completion else {
            let refusal = FTPError.refused(verb: method.rawValue, reply)
            throw reply.category == .transientNegative ? .passing(refusal) : .unknownMethod(refusal)
        }
        return PendingData(listening: listener, for: peer, logger)
    }

    /// `|1|192.0.2.1|6275|` and `192,0,2,1,24,131`.
    static func announcement(_ method: DataMethod, _ host: HostAddress, _ port: UInt16) -> Command {
        if method == .extendedActive {
            return Command("EPRT", "|\(host.family == AF_INET ? 1 : 2)|\(host)|\(port)|")
        }
        let numbers = host.bytes + [UInt8(port >> 8), UInt8(port & 0xFF)]
        return Command("PORT", numbers.map { String($0) }.joined(separator: ","))
    }
}
