import CLinux
@preconcurrency import Glibc
import Synchronization
import SystemPackage
import Threading

/// A plain TCP connection: a non-blocking socket, and `poll(2)` for every wait.
final class SocketTransport: Transport {
    let descriptor: FileDescriptor
    /// Guards the descriptor's number against ``interrupt()`` from another thread: once closed, it may be somebody else's.
    private let isOpen = Monitor(true)
    /// Whether a reset was seen by ``connectFailure()`` or ``peek(into:)``, which take it away from the next `recv(2)`: that one
    /// would see an ordinary end, and the part for the whole.
    private let wasReset = Atomic(false)
    private let hasFinishedWriting = Atomic(false)
    var plainDescriptor: FileDescriptor? { descriptor }
    var writingAwaits: Readiness { .output }
    /// TCP knows no difference.
    var endedInOrder: Bool { true }

    /// Takes over a non-blocking socket that is connected or about to be.
    private init(_ descriptor: FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Begins to connect and does not wait. See ``isConnected()`` for how it ends.
    ///
    /// - Throws: `unreachable` when the system refuses at once, `localFailure` when there is no descriptor left.
    static func connecting(to address: SocketAddress, nameForErrors host: String) throws(FTPError) -> SocketTransport {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let raw = socket(address.family, type, 0)
        guard raw >= 0 else { throw .localFailure(Errno(rawValue: errno), doing: "socket") }
        let transport = SocketTransport(FileDescriptor(rawValue: raw))
        let code = address.withPointer { Glibc.connect(raw, $0, $1) == 0 ? 0 : errno }
        guard code == 0 || code == EINPROGRESS || code == EINTR else {
            transport.close(abortively: false)
            throw .unreachable(host: host, Errno(rawValue: code))
        }
        return transport
    }

    /// Takes over a connection that a listener has accepted, non-blocking.
    static func accepted(_ descriptor: FileDescriptor) -> SocketTransport { SocketTransport(descriptor) }

    /// A connection that has brought nothing and has ended: for a download that the server has confirmed without ever
    /// making a data connection, having nothing to send.
    static func ended() throws(FTPError) -> SocketTransport {
        var ends: [Int32] = [-1, -1]
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw .localFailure(Errno(rawValue: errno), doing: "socketpair")
        }
        Glibc.close(ends[1])
        return SocketTransport(FileDescriptor(rawValue: ends[0]))
    }

    /// Copies what has come without taking it; 0 for the end, `nil` for nothing yet.
    func peek(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> Int? {
        while true {
            let count = recv(descriptor.rawValue, buffer.baseAddress, buffer.count, Int32(MSG_PEEK))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            case let code:
                if code == ECONNRESET { wasReset.store(true, ordering: .relaxed) }
                throw .lost(Errno(rawValue: code))
            }
        }
    }

    /// Whether neither bytes nor an end nor a failure have come.
    var isSilent: Bool {
        withUnsafeTemporaryAllocation(byteCount: 1, alignment: 1) { byte in
            do throws(TransportError) {
                return try peek(into: byte) == nil
            } catch {
                return false
            }
        }
    }

    /// How connecting went, once the descriptor is ready for output: `nil` for well.
    func connectFailure() -> Errno? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard getsockopt(descriptor.rawValue, SOL_SOCKET, SO_ERROR, &code, &length) == 0 else {
            return Errno(rawValue: errno)
        }
        if code == ECONNRESET { wasReset.store(true, ordering: .relaxed) }
        return code == 0 ? nil : Errno(rawValue: code)
    }

    /// Settings of a control connection: small packets at once, and the kernel notices when the path is dead.
    func configureForControl() {
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        keepAlive()
        // An unacknowledged command means a dead path after 15 s; TCP alone would go on for a quarter of an hour.
        set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, 15_000)
    }

    /// Settings of a data connection.
    func configureForData() {
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        keepAlive()
    }

    /// First probe after 30 s of silence, then every 10 s, dead after 3: NAT tables are kept fresh during a long
    /// transfer, where no command may be sent (NOOP in a transfer confuses servers), and a dead peer shows in a minute.
    private func keepAlive() {
        set(SOL_SOCKET, SO_KEEPALIVE, 1)
        set(Int32(IPPROTO_TCP), TCP_KEEPIDLE, 30)
        set(Int32(IPPROTO_TCP), TCP_KEEPINTVL, 10)
        set(Int32(IPPROTO_TCP), TCP_KEEPCNT, 3)
    }

    private func set(_ level: Int32, _ option: Int32, _ value: Int32) {
        var value = value
        // These only tune; where the kernel refuses one, the connection works all the same.
        _ = setsockopt(descriptor.rawValue, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, _ wait: Wait) throws(TransportError) -> Int {
        while true {
            if let count = try readAvailable(into: buffer) { return count }
            do throws(FTPError) { try wait.poll(descriptor, .input) } catch { throw .wait(error) }
        }
    }

    func readAvailable(into buffer: UnsafeMutableRawBufferPointer) throws(TransportError) -> Int? {
        while true {
            let count = recv(descriptor.rawValue, buffer.baseAddress, buffer.count, 0)
            if count == 0, wasReset.load(ordering: .relaxed) { throw .lost(.connectionReset) }
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return nil
            default: throw .lost(Errno(rawValue: errno))
            }
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer, _ wait: Wait) throws(TransportError) {
        var rest = bytes
        while !rest.isEmpty {
            let count = try writeAvailable(rest)
            rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            if count > 0 { continue }
            do throws(FTPError) { try wait.poll(descriptor, .output) } catch { throw .wait(error) }
        }
    }

    func writeAvailable(_ bytes: UnsafeRawBufferPointer) throws(TransportError) -> Int {
        while true {
            let count = Glibc.send(descriptor.rawValue, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
            if count >= 0 { return count }
            switch errno {
            case EINTR: continue
            case EAGAIN: return 0
            default: throw .lost(Errno(rawValue: errno))
            }
        }
    }

    func acknowledge() { set(Int32(IPPROTO_TCP), TCP_QUICKACK, 1) }

    func finishWriting(_ wait: Wait) throws(TransportError) {
        // Once both sides have ended there is nothing left to end, and that would look like a failure.
        if hasFinishedWriting.load(ordering: .relaxed) { return }
        if shutdown(descriptor.rawValue, Int32(SHUT_WR)) != 0 { throw .lost(Errno(rawValue: errno)) }
        hasFinishedWriting.store(true, ordering: .relaxed)
    }

    func interrupt() {
        // Neither shutdown(2) nor close(2) without SO_LINGER's waiting form can block.
        isOpen.withLock { isOpen in
            if isOpen { _ = shutdown(descriptor.rawValue, Int32(SHUT_RDWR)) }
        }
    }

    func close(abortively: Bool) {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            isOpen = false
            if abortively {
                var reset = linger(l_onoff: 1, l_linger: 0)
                _ = setsockopt(
                    descriptor.rawValue, SOL_SOCKET, SO_LINGER, &reset, socklen_t(MemoryLayout<linger>.size))
            }
            try? descriptor.close()
        }
    }
}
