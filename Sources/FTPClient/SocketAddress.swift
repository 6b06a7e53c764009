import CLinux
@preconcurrency import Glibc
import SystemPackage

/// An IPv4 or IPv6 address with a port, as the socket calls take it.
struct SocketAddress: Hashable, Sendable {
    /// The value of ``family`` for IPv6.
    static let ipv6 = AF_INET6
    /// AF_INET or AF_INET6.
    let family: Int32
    /// The bytes of a `sockaddr_in` or `sockaddr_in6`.
    private let bytes: [UInt8]

    /// Copies what the system hands out. `nil` for a family that is neither IPv4 nor IPv6.
    init?(_ address: UnsafePointer<sockaddr>, length: socklen_t) {
        family = Int32(address.pointee.sa_family)
        let needed = family == AF_INET ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        guard family == AF_INET || family == AF_INET6, Int(length) >= needed else { return nil }
        bytes = Array(UnsafeRawBufferPointer(start: address, count: needed))
    }

    private init(family: Int32, bytes: [UInt8]) {
        self.family = family
        self.bytes = bytes
    }

    /// The same host at another port. Both structures keep the port in the two bytes behind the family.
    func withPort(_ port: UInt16) -> SocketAddress {
        var bytes = bytes
        bytes[2] = UInt8(port >> 8)
        bytes[3] = UInt8(port & 0xFF)
        return SocketAddress(family: family, bytes: bytes)
    }

    /// The port.
    var port: UInt16 { UInt16(bytes[2]) << 8 | UInt16(bytes[3]) }

    /// The address without port and zone. `sockaddr_in` has it behind the port, `sockaddr_in6` behind the flow label.
    var host: HostAddress? { HostAddress(bytes: Array(family == AF_INET ? bytes[4..<8] : bytes[8..<24])) }

    /// A host at a port.
    init(_ host: HostAddress, port: UInt16) {
        family = host.family
        var raw: [UInt8]
        if host.family == AF_INET {
            raw = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_in>.size)
            raw.replaceSubrange(4..<8, with: host.bytes)
        } else {
            raw = [UInt8](repeating: 0, count: MemoryLayout<sockaddr_in6>.size)
            raw.replaceSubrange(8..<24, with: host.bytes)
        }
        withUnsafeBytes(of: sa_family_t(host.family)) { raw.replaceSubrange(0..<2, with: $0) }
        raw[2] = UInt8(port >> 8)
        raw[3] = UInt8(port & 0xFF)
        bytes = raw
    }

    /// Runs `body` with the address in the form of the socket calls.
    func withPointer<Result>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, socklen_t(bytes.count)) }
        }
    }

    /// The address of the other end of a connected socket.
    static func peer(of descriptor: FileDescriptor) throws(FTPError) -> SocketAddress {
        try filled { getpeername(descriptor.rawValue, $0, &$1) }
    }

    /// The address of this end of a socket.
    static func local(of descriptor: FileDescriptor) throws(FTPError) -> SocketAddress {
        try filled { getsockname(descriptor.rawValue, $0, &$1) }
    }

    private static func filled(
        _ body: (UnsafeMutablePointer<sockaddr>, inout socklen_t) -> Int32
    ) throws(FTPError) -> SocketAddress {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let (code, address) = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                let code = body(pointer, &length)
                return (code, code == 0 ? SocketAddress(pointer, length: length) : nil)
            }
        }
        guard let address else {
            throw .connectionLost(.beforeCommand, reason: "\(Errno(rawValue: code == 0 ? EAFNOSUPPORT : errno))")
        }
        return address
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The numerical host, without the port.
    var description: String {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = withPointer { address, length in
            getnameinfo(address, length, &host, socklen_t(host.count), nil, 0, NI_NUMERICHOST)
        }
        guard code == 0 else { return "?" }
        return String(decoding: host.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
