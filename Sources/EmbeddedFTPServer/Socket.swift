internal import CLinux
internal import SystemPackage

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// An IPv4 or IPv6 address with a port.
struct SocketAddress: Sendable {
    private var storage = sockaddr_storage()
    private var length: socklen_t = 0

    /// An address in figures; `nil` if the text is none.
    init?(_ text: String, port: UInt16) {
        var four = sockaddr_in()
        var six = sockaddr_in6()
        if inet_pton(AF_INET, text, &four.sin_addr) == 1 {
            four.sin_family = sa_family_t(AF_INET)
            four.sin_port = port.bigEndian
            fill(with: four)
        } else if inet_pton(AF_INET6, text, &six.sin6_addr) == 1 {
            six.sin6_family = sa_family_t(AF_INET6)
            six.sin6_port = port.bigEndian
            fill(with: six)
        } else {
            return nil
        }
    }

    private init() {}

    private mutating func fill(with address: some Any) {
        length = socklen_t(MemoryLayout.size(ofValue: address))
        withUnsafeMutableBytes(of: &storage) { target in
            withUnsafeBytes(of: address) { target.copyMemory(from: $0) }
        }
    }

    var isIPv6: Bool { storage.ss_family == sa_family_t(AF_INET6) }

    /// The port; 0 asks the kernel for any free one.
    var port: UInt16 {
        get { withUnsafeBytes(of: storage) { UInt16(bigEndian: $0.loadUnaligned(fromByteOffset: 2, as: UInt16.self)) } }
        // sin_port and sin6_port are both the second half word.
        set {
            withUnsafeMutableBytes(of: &storage) {
                $0.storeBytes(of: newValue.bigEndian, toByteOffset: 2, as: UInt16.self)
            }
        }
    }

    /// The bytes of the address: 4 or 16; an IPv4 address that is mapped into IPv6 as 4.
    var bytes: [UInt8] {
        let raw = withUnsafeBytes(of: storage) { Array($0) }
        guard isIPv6 else { return Array(raw[4..<8]) }
        let six = Array(raw[8..<24])
        let mapped: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]
        return six.starts(with: mapped) ? Array(six[12...]) : six
    }

    /// Runs `body` with the address as the system wants it.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }

    /// An address that the system fills in. - Returns: `nil` when `body` says that it failed.
    static func filled(_ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Bool) -> SocketAddress? {
        var address = SocketAddress()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isFilled = withUnsafeMutablePointer(to: &address.storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, &length) }
        }
        address.length = length
        return isFilled ? address : nil
    }
}

/// The calls on sockets that the server makes. Every socket is non-blocking and closed on exec.
enum Socket {
    private static let stream =
        Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)

    /// A socket that listens at `address`.
    static func listen(at address: SocketAddress, backlog: Int32) throws(Errno) -> FileDescriptor {
        let socket = try new(for: address)
        do throws(Errno) {
            try set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
            guard address.withPointer({ bind(socket.rawValue, $0, $1) }) == 0 else { throw lastError() }
            guard Glibc.listen(socket.rawValue, backlog) == 0 else { throw lastError() }
            return socket
        } catch {
            try? socket.close()
            throw error
        }
    }

    /// A socket that listens nowhere but keeps a port, so that connections to it are refused.
    static func reserve(at address: SocketAddress) throws(Errno) -> FileDescriptor {
        let socket = try new(for: address)
        guard address.withPointer({ bind(socket.rawValue, $0, $1) }) == 0 else {
            let error = lastError()
            try? socket.close()
            throw error
        }
        return socket
    }

    /// A socket that has begun to connect; it is writable when that has ended.
    ///
    /// - Parameter local: the address from which it connects; `nil` leaves that to the system.
    static func connect(to address: SocketAddress, from local: SocketAddress? = nil) throws(Errno) -> FileDescriptor {
        let socket = try new(for: address)
        if let local { _ = local.withPointer { bind(socket.rawValue, $0, $1) } }
        guard address.withPointer({ Glibc.connect(socket.rawValue, $0, $1) }) == 0 || errno == EINPROGRESS else {
            let error = lastError()
            try? socket.close()
            throw error
        }
        return socket
    }

    /// The next connection that waits at a listening socket, with its other end; `nil` when none does.
    static func accept(_ listener: FileDescriptor) throws(Errno) -> (FileDescriptor, SocketAddress)? {
        var raw: Int32 = -1
        let peer = SocketAddress.filled { address, length in
            raw = clinux_accept_nonblocking(listener.rawValue, address, &length)
            return raw >= 0
        }
        if let peer { return (FileDescriptor(rawValue: raw), peer) }
        switch errno {
        // The client has hung up again, or another thread was faster.
        case EAGAIN, ECONNABORTED, EINTR, EPROTO: return nil
        default: throw lastError()
        }
    }

    /// Why a connection attempt failed; `nil` if it did not.
    static func connectionError(of socket: FileDescriptor) -> Errno? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout.size(ofValue: code))
        guard getsockopt(socket.rawValue, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else { return lastError() }
        return code == 0 ? nil : Errno(rawValue: code)
    }

    static func localAddress(of socket: FileDescriptor) -> SocketAddress? {
        SocketAddress.filled { getsockname(socket.rawValue, $0, &$1) == 0 }
    }

    /// Sends small packets at once: a control connection is a conversation.
    static func setNoDelay(_ socket: FileDescriptor) {
        try? set(socket, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
    }

    /// Leaves urgent bytes where they were sent: clients put them into the middle of ABOR (RFC 959 §4.1.3).
    static func keepUrgentInline(_ socket: FileDescriptor) {
        try? set(socket, SOL_SOCKET, SO_OOBINLINE, 1)
    }

    static func setSendBuffer(_ socket: FileDescriptor, _ bytes: Int32) {
        try? set(socket, SOL_SOCKET, SO_SNDBUF, bytes)
    }

    /// Closes so that the other end gets RST, whatever is still under way.
    static func reset(_ socket: FileDescriptor) {
        resetAtClose(socket)
        try? socket.close()
    }

    /// Lets the other end get RST when the socket is closed.
    static func resetAtClose(_ socket: FileDescriptor) {
        var linger = linger(l_onoff: 1, l_linger: 0)
        setsockopt(
            socket.rawValue, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
    }

    /// What the last call in this thread failed with.
    static func lastError() -> Errno { Errno(rawValue: errno) }

    private static func new(for address: SocketAddress) throws(Errno) -> FileDescriptor {
        let raw = socket(address.isIPv6 ? AF_INET6 : AF_INET, stream, 0)
        guard raw >= 0 else { throw lastError() }
        return FileDescriptor(rawValue: raw)
    }

    private static func set(_ socket: FileDescriptor, _ level: Int32, _ option: Int32, _ value: Int32) throws(Errno) {
        var value = value
        let length = socklen_t(MemoryLayout.size(ofValue: value))
        guard setsockopt(socket.rawValue, level, option, &value, length) == 0 else { throw lastError() }
    }
}
