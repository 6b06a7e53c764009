import CLinux
@preconcurrency import Glibc
import SystemPackage

/// A port of this machine at which one data connection of the server is awaited (active mode).
///
/// It listens at the address at which the control connection leaves this machine, and nowhere else. Whoever connects from
/// another address than the server's is turned away and the wait goes on; the server's *port* is not looked at, since
/// behind address translation it is not 20. One owner.
final class DataListener {
    let descriptor: FileDescriptor
    /// The address and port at which it listens.
    let address: SocketAddress
    private var isOpen = true

    /// The server's connection, and a few of strangers; more wait with the kernel of whoever connects.
    private static let backlog: Int32 = 4

    private init(_ descriptor: FileDescriptor, _ address: SocketAddress) {
        self.descriptor = descriptor
        self.address = address
    }

    deinit { close() }

    /// Listens at a free port.
    ///
    /// - Parameters:
    ///   - local: the address; its port does not matter.
    ///   - ports: where to look for a free one; `nil`: the system chooses.
    ///   - turn: at which of the ports to begin. A port that has just been used is better left alone for a while: on the
    ///     server the old connection with it may still be remembered (TIME_WAIT), and then no new one can be made.
    /// - Throws: `localFailure` when no port is free.
    static func open(
        at local: SocketAddress, ports: ClosedRange<UInt16>?, turn: Int
    ) throws(FTPError) -> DataListener {
        guard let ports else { return try listen(at: local.withPort(0)) }
        let count = ports.count
        var last = FTPError.localFailure(.addressInUse, doing: "listening for a data connection")
        for step in 0..<count {
            let offset = UInt16((turn % count + step) % count)
            do throws(FTPError) {
                return try listen(at: local.withPort(ports.lowerBound + offset))
            } catch {
                guard case .localFailure(.addressInUse, _) = error else { throw error }
                last = error
            }
        }
        throw last
    }

    private static func listen(at address: SocketAddress) throws(FTPError) -> DataListener {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let raw = socket(address.family, type, 0)
        guard raw >= 0 else { throw .localFailure(Errno(rawValue: errno), doing: "socket") }
        let descriptor = FileDescriptor(rawValue: raw)
        do throws(FTPError) {
            // Without it a port of the range could not be used again for a minute after each transfer.
            var yes: Int32 = 1
            setsockopt(raw, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
            let isBound = address.withPointer { bind(raw, $0, $1) == 0 }
            guard isBound, Glibc.listen(raw, backlog) == 0 else {
                throw .localFailure(Errno(rawValue: errno), doing: "listening for a data connection")
            }
            return DataListener(descriptor, try SocketAddress.local(of: descriptor))
        } catch {
            try? descriptor.close()
            throw error
        }
    }

    /// What came of looking whether somebody has connected.
    enum Caller {
        case server(SocketTransport)
        /// Somebody else, who has been turned away.
        case stranger(String)
        case nobody
    }

    /// Takes one connection that waits.
    func accept(from server: HostAddress?) throws(FTPError) -> Caller {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let (raw, peer) = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let raw = clinux_accept_nonblocking(descriptor.rawValue, pointer, &length)
                return (raw, raw >= 0 ? SocketAddress(pointer, length: length) : nil)
            }
        }
        guard raw >= 0 else {
            switch errno {
            // Who had connected has hung up again (accept(2) has the list).
            case EAGAIN, EINTR, ECONNABORTED, EPROTO, ENETDOWN, ENETUNREACH, EHOSTDOWN, EHOSTUNREACH: return .nobody
            default: throw .localFailure(Errno(rawValue: errno), doing: "accept")
            }
        }
        let transport = SocketTransport.accepted(FileDescriptor(rawValue: raw))
        if let peer, let server, peer.host == server { return .server(transport) }
        transport.close(abortively: true)
        return .stranger(peer.map { "\($0)" } ?? "?")
    }

    /// Stops listening. Calling it again does nothing.
    func close() {
        guard isOpen else { return }
        isOpen = false
        try? descriptor.close()
    }
}
