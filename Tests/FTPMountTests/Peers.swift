import Testing
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A port of 127.0.0.1 at which something happens that is not FTP.
final class Peer {
    /// What happens to who connects.
    enum Behaviour {
        /// The connection is refused: the port is taken, but nobody listens.
        case refuses
        /// The kernel takes the connection, and nobody ever says a word.
        case isSilent
        /// The peer says a line of its own, and no more.
        case says(String)
    }

    let port: UInt16
    private let socket: Int32

    init(_ behaviour: Behaviour) throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        try #require(socket >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = socket
        let bound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        try #require(bound)
        port = UInt16(bigEndian: address.sin_port)
        switch behaviour {
        case .refuses: break
        case .isSilent: try #require(listen(socket, 16) == 0)
        case .says(let line):
            try #require(listen(socket, 16) == 0)
            try Thread.detached(named: "peer") {
                while case let connection = accept(socket, nil, nil), connection >= 0 {
                    _ = line.withCString { write(connection, $0, strlen($0)) }
                    close(connection)
                }
            }
        }
    }

    deinit {
        shutdown(socket, Int32(SHUT_RDWR))
        close(socket)
    }
}
