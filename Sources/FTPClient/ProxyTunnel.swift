import FTPProtocol
@preconcurrency import Glibc
import SystemPackage
import Threading
import Vocabulary

/// Makes a connection to a proxy into one with a host behind it.
///
/// What the proxy says is read without taking it, and only what belongs to the handshake is taken: the server's greeting
/// may follow in the same packet, and belongs to whoever uses the connection next.
enum ProxyTunnel {
    /// More than any handshake says at once.
    private static let pieceLength = 4096

    /// Goes through the handshake over a connected transport. Blocks until the wait's end; the transport is the caller's
    /// to close when this fails.
    ///
    /// - Parameter host: a name, which the proxy resolves, or an address in figures.
    static func open(
        _ proxy: Proxy, over transport: SocketTransport, to host: String, port: UInt16, _ wait: Wait
    ) throws(FTPError) {
        var handshake = try handshake(proxy, to: host, port: port)
        do throws(TransportError) {
            try send(handshake.opening, transport, wait)
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: pieceLength, alignment: 1)
            defer { buffer.deallocate() }
            while true {
                let count = try receive(into: buffer, transport, wait)
                guard count > 0 else { throw .lost(.connectionReset) }
                let (used, step) = try advance(&handshake, Array(buffer[..<count]), proxy)
                _ = try transport.readAvailable(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<used]))
                switch step {
                case .receive: continue
                case .send(let bytes): try send(bytes, transport, wait)
                case .established: return
                }
            }
        } catch {
            switch error {
            case .lost, .tls: throw .proxyFailed("the proxy \(proxy.host) ended the connection")
            case .wait(let error): throw error
            }
        }
    }

    private static func send(
        _ bytes: [UInt8], _ transport: SocketTransport, _ wait: Wait
    ) throws(TransportError) {
        try bytes.withUnsafeBufferPointer { (bytes) throws(TransportError) in
            try transport.write(UnsafeRawBufferPointer(bytes), wait)
        }
    }

    /// Waits for bytes and copies them; they are still to be taken.
    private static func receive(
        into buffer: UnsafeMutableRawBufferPointer, _ transport: SocketTransport, _ wait: Wait
    ) throws(TransportError) -> Int {
        while true {
            // A proxy that never stops talking must not keep this from seeing the deadline.
            if wait.deadline.hasPassed { throw .wait(.timedOut(wait.phase)) }
            if let count = try transport.peek(into: buffer) { return count }
            do throws(FTPError) { try wait.poll(transport.descriptor, .input) } catch { throw .wait(error) }
        }
    }

    private static func advance(
        _ handshake: inout any ProxyHandshake, _ bytes: [UInt8], _ proxy: Proxy
    ) throws(TransportError) -> (used: Int, step: ProxyStep) {
        do throws(ProxyRefusal) {
            return try handshake.consume(bytes)
        } catch {
            throw .wait(.proxyFailed(sentence(error, proxy)))
        }
    }

    private static func sentence(_ refusal: ProxyRefusal, _ proxy: Proxy) -> String {
        switch refusal {
        case .notAProxy(let excerpt):
            let kind = proxy.kind == .http ? "an HTTP proxy" : "a SOCKS 5 proxy"
            return "what answers at \(proxy.host) port \(proxy.port) is not \(kind) (it said \"\(printable(excerpt))\")"
        case .authentication:
            return proxy.user == nil
                ? "the proxy \(proxy.host) wants a user and a password; give them with proxy= or proxy_credentials="
                : "the proxy \(proxy.host) does not accept its user and password"
        case .refused(let reason):
            return "the proxy \(proxy.host) does not make the connection: \(reason)"
        }
    }

    private static func handshake(
        _ proxy: Proxy, to host: String, port: UInt16
    ) throws(FTPError) -> any ProxyHandshake {
        let target: ProxyTarget
        if let address = HostAddress(host) {
            target = address.family == AF_INET ? .ipv4(address.bytes) : .ipv6(address.bytes)
        } else {
            // A zone (`fe80::1%eth0`) is about this machine's networks and means nothing to a proxy.
            guard !host.contains("%") else { throw .invalidArgument("an address with a zone, to a proxy") }
            target = .name(Array(host.utf8))
        }
        let login = proxy.user.map { ProxyLogin(user: $0, password: proxy.password?.bytes ?? []) }
        switch proxy.kind {
        case .http:
            return HTTPConnectHandshake(to: target, port: port, login: login)
        case .socks5:
            guard let handshake = SOCKS5Handshake(to: target, port: port, login: login) else {
                throw .invalidArgument("a host, user or password of more than 255 bytes, to a SOCKS proxy")
            }
            return handshake
        }
    }
}
