import CLinux
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A Unix stream socket (unix(7)) that carries lines: the calls, with their deadlines.
struct ControlSocket {
    let descriptor: FileDescriptor

    /// Why something did not come about.
    enum Failure: Error, Hashable {
        /// There is no socket of that name.
        case missing
        /// There is one, and nobody behind it.
        case abandoned
        /// This user may not.
        case denied
        /// The other side is somebody else than it should be.
        case foreign
        case timedOut
        /// The other side has ended before a whole line had come.
        case ended
        /// The other side has sent more than any line has.
        case tooLong
        case system(Errno)
    }

    /// A new socket, closed on exec.
    init() throws(Failure) {
        let raw = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard raw >= 0 else { throw .system(Errno(rawValue: errno)) }
        descriptor = FileDescriptor(rawValue: raw)
    }

    /// Takes over a connected one.
    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    func close() { try? descriptor.close() }

    /// Gives it a name, which only this user can use, and listens.
    func listen(at path: FilePath) throws(Failure) {
        let code = try Self.withAddress(path) { bind(descriptor.rawValue, $0, $1) }
        guard code == 0, chmod(path.string, 0o600) == 0, Glibc.listen(descriptor.rawValue, SOMAXCONN) == 0 else {
            throw .system(Errno(rawValue: errno))
        }
    }

    /// Connects; does not wait: a full queue is taken for a process that hangs.
    func connect(to path: FilePath) throws(Failure) {
        _ = fcntl(descriptor.rawValue, F_SETFL, O_NONBLOCK)
        guard try Self.withAddress(path, { Glibc.connect(descriptor.rawValue, $0, $1) }) != 0 else { return }
        switch errno {
        case ENOENT, ENOTDIR: throw .missing
        case ECONNREFUSED: throw .abandoned
        case EACCES, EPERM: throw .denied
        case EAGAIN: throw .timedOut
        default: throw .system(Errno(rawValue: errno))
        }
    }

    /// The user at the other end, as when it connected, or listened.
    var peer: uid_t? {
        var user = uid_t()
        return clinux_peer_user(descriptor.rawValue, &user) == 0 ? user : nil
    }

    /// Sends all the bytes.
    func send(_ bytes: [UInt8], until deadline: Deadline) throws(Failure) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor.rawValue, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                try wait(for: Int16(POLLOUT), until: deadline)
            } else if errno != EINTR {
                throw errno == EPIPE || errno == ECONNRESET ? .ended : .system(Errno(rawValue: errno))
            }
        }
    }

    /// Reads up to the first line end, and what has come with it.
    ///
    /// - Returns: the line without its end.
    func receiveLine(atMost limit: Int, until deadline: Deadline) throws(Failure) -> [UInt8] {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = recv(descriptor.rawValue, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                let piece = buffer[..<count]
                if let end = piece.firstIndex(of: UInt8(ascii: "\n")) {
                    line += piece[..<end]
                    guard line.count <= limit else { throw .tooLong }
                    return line
                }
                line += piece
                guard line.count <= limit else { throw .tooLong }
            } else if count == 0 || errno == ECONNRESET {
                throw .ended
            } else if errno == EAGAIN {
                try wait(for: Int16(POLLIN), until: deadline)
            } else if errno != EINTR {
                throw .system(Errno(rawValue: errno))
            }
        }
    }

    private func wait(for events: Int16, until deadline: Deadline) throws(Failure) {
        var poller = pollfd(fd: descriptor.rawValue, events: events, revents: 0)
        let ready = poll(&poller, 1, deadline.pollTimeout)
        if ready == 0 || (ready < 0 && errno == EINTR && deadline.hasPassed) { throw .timedOut }
        if ready < 0, errno != EINTR { throw .system(Errno(rawValue: errno)) }
    }

    /// Waits until the other side has gone, or the event has come.
    ///
    /// - Returns: whether the event has come.
    func waitWhileConnected(for event: Cancellation) -> Bool {
        withExtendedLifetime(event) {
            // Without a descriptor for the event there is only the other side to wait for.
            let other = event.descriptor()?.rawValue ?? -1
            while true {
                var pollers = [
                    pollfd(fd: descriptor.rawValue, events: clinux_POLLRDHUP, revents: 0),
                    pollfd(fd: other, events: Int16(POLLIN), revents: 0),
                ]
                let ready = poll(&pollers, 2, -1)
                if event.isCancelled { return true }
                if ready < 0, errno != EINTR { return false }
                if ready > 0, pollers[0].revents != 0 { return false }
            }
        }
    }

    private static func withAddress<Result>(
        _ path: FilePath, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) throws(Failure) -> Result {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.string.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { throw .system(.fileNameTooLong) }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
