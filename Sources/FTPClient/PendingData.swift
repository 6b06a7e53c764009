@preconcurrency import Glibc
import Logging
import SystemPackage

/// A data connection in the making, whichever end makes it. One owner; whoever takes ``made`` owns that.
final class PendingData {
    private enum State {
        /// Our connect is under way.
        case connecting(SocketTransport)
        /// The server is to connect to a port of ours, from this address.
        case listening(DataListener, HostAddress?)
        case made(SocketTransport)
    }

    private var state: State
    /// Whether it was made ahead of its transfer.
    var isArmed = false
    private let logger: Logger

    /// A connect that is under way.
    init(connecting transport: SocketTransport, _ logger: Logger) {
        state = .connecting(transport)
        self.logger = logger
    }

    /// A connection that is there already, through a proxy.
    init(made transport: SocketTransport, _ logger: Logger) {
        state = .made(transport)
        self.logger = logger
    }

    /// A port at which the server is awaited.
    init(listening listener: DataListener, for server: HostAddress?, _ logger: Logger) {
        state = .listening(listener, server)
        self.logger = logger
    }

    /// The connection, once it is there.
    var made: SocketTransport? {
        if case .made(let transport) = state { return transport }
        return nil
    }

    /// What to wait for until it is there.
    var interest: (FileDescriptor, Readiness) {
        switch state {
        case .connecting(let transport): (transport.descriptor, .output)
        case .listening(let listener, _): (listener.descriptor, .input)
        case .made: Wait.nothing
        }
    }

    /// Goes on after ``interest`` was found ready.
    ///
    /// - Returns: whether the connection is there now.
    /// - Throws: `unreachable` when the connect failed.
    func advance() throws(FTPError) -> Bool {
        switch state {
        case .made:
            return true
        case .connecting(let transport):
            // A reset comes from a server that took the connection and is done with it already.
            if let errno = transport.connectFailure(), errno != .connectionReset {
                throw .unreachable(host: "the server's passive port", errno)
            }
            state = .made(transport)
            return true
        case .listening(let listener, let server):
            switch try listener.accept(from: server) {
            case .nobody:
                return false
            case .stranger(let who):
                logger.warning("\(who), which is not the server, has connected to a data port, and was turned away")
                return false
            case .server(let transport):
                listener.close()
                transport.configureForData()
                state = .made(transport)
                return true
            }
        }
    }

    /// Whether it can still become, or be, a connection on which nothing has happened. Does not wait.
    var isAlive: Bool {
        if case .connecting = state {
            var entry = pollfd(fd: interest.0.rawValue, events: interest.1.rawValue, revents: 0)
            if poll(&entry, 1, 0) == 0 { return true }
            guard (try? advance()) == true else { return false }
        }
        guard case .made(let transport) = state else { return true }
        return transport.isSilent
    }

    /// Gives it up, in whatever state it is.
    func close() {
        switch state {
        case .connecting(let transport), .made(let transport): transport.close(abortively: true)
        case .listening(let listener, _): listener.close()
        }
    }
}
