import CLinux
@preconcurrency import Glibc
import SystemPackage
import Threading

/// Turns the name of a host into addresses, with a deadline.
///
/// `getaddrinfo(3)` can neither be given a deadline nor be interrupted, so it runs in a thread of its own. When the
/// caller stops waiting, that thread goes on until the resolver's own limit and its answer is dropped; the pool makes
/// one connection at a time when the server is unreachable, so such threads do not pile up.
enum Resolver {
    /// The addresses of a host in the system's order of preference (RFC 6724), each once. Blocks until the deadline.
    static func addresses(
        of host: String, port: UInt16, _ family: NetworkSettings.Family, _ wait: Wait
    ) throws(FTPError) -> [SocketAddress] {
        let wanted =
            switch family {
            case .any: AF_UNSPEC
            case .ipv4: AF_INET
            case .ipv6: AF_INET6
            }
        // A numerical address needs no name service, hence no thread.
        if case .found(let addresses) = lookUp(host, port, AF_UNSPEC, flags: AI_NUMERICHOST) {
            let fitting = addresses.filter { wanted == AF_UNSPEC || $0.family == wanted }
            if !fitting.isEmpty { return fitting }
            throw .unknownHost(host, reason: "it is no \(family) address")
        }
        let answer = Monitor<Answer?>(nil)
        let token = wait.cancellation.onCancel { answer.wake() }
        defer { wait.cancellation.removeHandler(token) }
        do {
            try Thread.detached(named: "ftp-resolve") {
                let found = lookUp(host, port, wanted, flags: AI_ADDRCONFIG)
                answer.withLockThenWake { $0 = found }
            }
        } catch {
            throw .localFailure(Errno(rawValue: error.code), doing: "starting a thread")
        }
        let found = answer.wait(until: wait.deadline) { answer -> Answer? in
            answer ?? (wait.cancellation.isCancelled ? .cancelled : nil)
        }
        switch found {
        case .found(let addresses): return addresses
        case .failed(let reason): throw .unknownHost(host, reason: reason)
        case .cancelled: throw .cancelled
        case nil: throw .timedOut(wait.phase)
        }
    }

    private enum Answer: Sendable {
        case found([SocketAddress])
        case failed(String)
        case cancelled
    }

    private static func lookUp(_ host: String, _ port: UInt16, _ family: Int32, flags: Int32) -> Answer {
        var hints = addrinfo()
        hints.ai_family = family
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = flags | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, String(port), &hints, &list)
        guard code == 0 else { return .failed(gai_strerror(code).map { String(cString: $0) } ?? "error \(code)") }
        defer { freeaddrinfo(list) }
        var addresses: [SocketAddress] = []
        var next = list
        while let entry = next {
            if let raw = entry.pointee.ai_addr,
                let address = SocketAddress(raw, length: entry.pointee.ai_addrlen), !addresses.contains(address)
            {
                addresses.append(address)
            }
            next = entry.pointee.ai_next
        }
        return addresses.isEmpty ? .failed("it has no address of a kind that can be used") : .found(addresses)
    }
}
