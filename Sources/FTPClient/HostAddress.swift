@preconcurrency import Glibc

/// A numerical IPv4 or IPv6 address without a port and without a zone: what a reply names, what a command announces.
package struct HostAddress: Hashable, Sendable {
    /// 4 or 16 bytes, in the order of the network.
    package let bytes: [UInt8]

    /// The address in figures; `nil` for anything else, names too.
    package init?(_ text: String) {
        var four = in_addr()
        var six = in6_addr()
        if inet_pton(AF_INET, text, &four) == 1 {
            bytes = withUnsafeBytes(of: four) { Array($0) }
        } else if inet_pton(AF_INET6, text, &six) == 1 {
            bytes = withUnsafeBytes(of: six) { Array($0) }
        } else {
            return nil
        }
    }

    /// An address of 4 or 16 bytes; `nil` for any other number.
    init?(bytes: [UInt8]) {
        guard bytes.count == 4 || bytes.count == 16 else { return nil }
        self.bytes = bytes
    }

    /// AF_INET or AF_INET6.
    package var family: Int32 { bytes.count == 4 ? AF_INET : AF_INET6 }

    /// How far an address reaches.
    enum Scope: Hashable, Sendable {
        /// No host has it: unspecified, broadcast, multicast, reserved.
        case none
        /// This machine.
        case loopback
        /// A network that others cannot reach: RFC 1918, RFC 6598 (providers' address translation), RFC 3927 and RFC
        /// 4193, link-local.
        case local
        case global
    }

    var scope: Scope {
        let isMapped = bytes.count == 16 && bytes.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF])
        if bytes.count == 4 || isMapped { return Self.scope(ofIPv4: Array(bytes.suffix(4))) }
        switch (bytes[0], bytes[1]) {
        case (0, 0) where bytes.dropLast().allSatisfy { $0 == 0 }:
            return bytes[15] == 1 ? .loopback : .none
        case (0xFF, _): return .none
        case (0xFC...0xFD, _), (0xFE, 0x80...0xBF): return .local
        default: return .global
        }
    }

    private static func scope(ofIPv4 bytes: [UInt8]) -> Scope {
        switch (bytes[0], bytes[1]) {
        case (0, _), (224...255, _): .none
        case (127, _): .loopback
        case (10, _), (172, 16...31), (192, 168), (169, 254), (100, 64...127): .local
        default: .global
        }
    }
}

extension HostAddress: CustomStringConvertible {
    /// The address in figures.
    package var description: String {
        var text = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let isWritten = bytes.withUnsafeBytes { raw in
            inet_ntop(family, raw.baseAddress, &text, socklen_t(text.count)) != nil
        }
        guard isWritten else { return "?" }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

extension HostAddress {
    /// The address to which the data connection behind a 227 goes, when the server's own word is to count.
    ///
    /// It counts only where it can be true and can do no harm: not for addresses that no host has, and not when it would
    /// lead from a public server into a network or a machine that the server has no business with (a server that wants
    /// this client to connect to somebody behind the firewall).
    ///
    /// - Parameters:
    ///   - named: the four bytes of the 227.
    ///   - peer: the address of the control connection; `nil` when a proxy hides it.
    /// - Returns: `nil`: the control connection's host is to be used.
    static func passiveHost(named: [UInt8], peer: HostAddress?) -> HostAddress? {
        guard let address = HostAddress(bytes: named) else { return nil }
        let reach = peer?.scope ?? .global
        switch address.scope {
        case .none: return nil
        case .loopback: return reach == .loopback ? address : nil
        case .local: return reach == .global ? nil : address
        case .global: return address
        }
    }
}
