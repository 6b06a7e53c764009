import CLinux
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Tells the service manager how a mount gets on: the protocol of sd_notify(3), for a unit of `Type=notify` that runs
/// `ftpfs -f`. Nothing happens where there is no `NOTIFY_SOCKET`.
///
/// Each message is one datagram of lines `NAME=VALUE`. Sending never blocks, and a manager that does not listen changes
/// nothing: a mount is worth more than its report.
struct ServiceNotification: Sendable {
    private let path: [UInt8]?

    /// Where the messages go, from the environment, which then has it no more: what this process starts shall not speak for
    /// it. Call it while there is one thread.
    static func takeFromEnvironment() -> ServiceNotification {
        defer { unsetenv("NOTIFY_SOCKET") }
        guard let text = getenv("NOTIFY_SOCKET") else { return ServiceNotification(path: nil) }
        return ServiceNotification(
            path: Array(UnsafeBufferPointer(start: text, count: strlen(text))).map(UInt8.init(bitPattern:)))
    }

    /// - Parameter path: an absolute path, or a name of Linux's abstract namespace behind `@` (unix(7)).
    init(path: [UInt8]?) {
        let isUsable = path?.first == UInt8(ascii: "/") || path?.first == UInt8(ascii: "@")
        self.path = isUsable ? path : nil
    }

    /// Whether anybody listens.
    var isWanted: Bool { path != nil }

    /// The mount answers.
    func ready(_ status: String) { send("READY=1\nSTATUS=\(status)") }

    /// What is going on, for `systemctl status`.
    func status(_ text: String) { send("STATUS=\(text)") }

    /// The mount has gone, and what is unsent is sent. From now on the manager counts its `TimeoutStopSec=`.
    func stopping(_ status: String) { send("STOPPING=1\nSTATUS=\(status)") }

    /// More time for the end is needed, and so much of it will do until the next message (`EXTEND_TIMEOUT_USEC=`).
    func extend(by span: Duration, _ status: String) {
        send("EXTEND_TIMEOUT_USEC=\(span.components.seconds * 1_000_000)\nSTATUS=\(status)")
    }

    private func send(_ message: String) {
        guard let path else { return }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let room = MemoryLayout.size(ofValue: address.sun_path)
        guard path.count < room else { return }
        withUnsafeMutableBytes(of: &address.sun_path) { bytes in
            bytes.copyBytes(from: path)
            if path.first == UInt8(ascii: "@") { bytes[0] = 0 }
        }
        let socket = Glibc.socket(
            AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
        guard socket >= 0 else { return }
        defer { close(socket) }
        // An abstract name is as long as the address says, so no NUL may follow it.
        let length = MemoryLayout<sockaddr_un>.size - room + path.count
        let bytes = Array(message.utf8)
        _ = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                sendto(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, socklen_t(length))
            }
        }
    }
}
