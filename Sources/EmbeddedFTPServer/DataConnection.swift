internal import CLinux
internal import SystemPackage

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// One data connection: a socket and, behind `PROT P`, TLS on it. Used by its session's thread; never waits.
final class DataConnection {
    /// What one attempt to move bytes brought.
    enum Step {
        case moved(Int64)
        case end
        case wouldBlock
        case hungUp
    }

    let socket: FileDescriptor
    /// What TLS does with the bytes; `nil`: they go as they are.
    private(set) var tls: TLSConnection?
    /// Whether the client is at the other end already.
    var isEstablished = false

    init(_ socket: FileDescriptor) {
        self.socket = socket
    }

    /// Puts TLS on it. - Returns: `nil` when OpenSSL has no memory.
    func secure(_ context: TLSContext, connection number: Int, refusesResumption: Bool) -> TLSConnection? {
        tls = TLSConnection(context, socket, connection: number, refusesResumption: refusesResumption)
        return tls
    }

    // MARK: Steps

    /// Takes bytes from the client.
    func receive(into buffer: UnsafeMutableRawBufferPointer) -> Step {
        if let tls { return step(tls.read(into: buffer)) }
        let count = read(socket.rawValue, buffer.baseAddress, buffer.count)
        return count < 0 ? failure() : count == 0 ? .end : .moved(Int64(count))
    }

    /// Gives bytes to the client; under TLS all of them or none, and ``flush()`` has to follow.
    func send(_ bytes: UnsafeRawBufferPointer) -> Step {
        if let tls { return step(tls.write(bytes)) }
        let count = Glibc.send(socket.rawValue, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        return count < 0 ? failure() : .moved(Int64(count))
    }

    /// Sends what TLS has kept back. - Returns: `end` when nothing is left.
    func flush() -> Step {
        guard let tls else { return .end }
        switch tls.flush() {
        case .done: return .end
        case .needsInput, .needsOutput: return .wouldBlock
        case .end, .broken: return .hungUp
        }
    }

    /// Whether the client's system has closed its side, or the connection is broken.
    var hasHungUp: Bool {
        var state = pollfd(fd: socket.rawValue, events: clinux_POLLRDHUP, revents: 0)
        return poll(&state, 1, 0) > 0
    }

    /// Whether the client's system has taken all that was sent.
    var isDelivered: Bool {
        var unsent: Int32 = 0
        // SIOCOUTQ of tcp(7) is this terminal request by another name.
        return ioctl(socket.rawValue, UInt(TIOCOUTQ), &unsent) != 0 || unsent == 0
    }

    /// What the transcript says of it.
    func protection(connection: Int, verb: String) -> Transcript.Protection {
        Transcript.Protection(
            connection: connection, verb: verb, version: tls?.version, resumption: tls?.resumption ?? .none,
            gotCloseNotify: tls?.gotCloseNotify ?? false, failure: tls?.failure)
    }

    private func step(_ step: TLSConnection.Step) -> Step {
        switch step {
        case .done(let count): .moved(Int64(count))
        case .needsInput, .needsOutput: .wouldBlock
        case .end: .end
        case .broken: .hungUp
        }
    }

    /// What the error of a call on the socket means.
    func failure() -> Step {
        switch errno {
        case EAGAIN, EINTR: .wouldBlock
        default: .hungUp
        }
    }
}
