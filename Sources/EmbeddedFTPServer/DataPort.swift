internal import SystemPackage
internal import Threading

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// Where a session's next data connection comes from: a port that listens (PASV, EPSV), or an address to connect to
/// (PORT, EPRT). It survives other commands in between and serves one transfer.
///
/// Both ends have to be the client's own: a data connection from or to another host than that of the control
/// connection is not made (RFC 2577 §3: the bounce attack).
final class DataPort {
    private enum State {
        case none
        case listening(FileDescriptor)
        /// A port that was named but does not listen, on purpose.
        case refusing(FileDescriptor)
        case client(SocketAddress)
    }

    private let control: ControlConnection
    private let peer: SocketAddress
    private var state = State.none
    /// The data connection of the transfer that runs.
    private var connection: DataConnection?

    init(control: ControlConnection, peer: SocketAddress) {
        self.control = control
        self.peer = peer
    }

    /// Whether the client has said where the next data connection comes from.
    var isSet: Bool {
        if case .none = state { return false }
        return true
    }

    /// Closes everything. Called once, at the end of the session.
    func close() {
        forget()
        disconnect(.close)
    }

    // MARK: Where from

    /// Listens at a free port of the address at which the client has reached the server.
    ///
    /// - Parameter isRefusing: whether the port is only reserved, so that connections to it are refused.
    /// - Returns: that address and port; `nil` when the system has none left.
    func listen(isRefusing: Bool) -> SocketAddress? {
        forget()
        guard var address = control.localAddress else { return nil }
        address.port = 0
        // One connection waits, and one more for a client that tries again.
        let socket = isRefusing ? try? Socket.reserve(at: address) : try? Socket.listen(at: address, backlog: 2)
        guard let socket else { return nil }
        state = isRefusing ? .refusing(socket) : .listening(socket)
        return Socket.localAddress(of: socket)
    }

    /// Connects to the client's port for the next transfer. - Returns: false for another host than the client's.
    func set(_ address: SocketAddress) -> Bool {
        // Below 1024 are services of the system, to which nobody listens for FTP data (RFC 2577 §3).
        guard address.bytes == peer.bytes, address.port >= 1024 else { return false }
        forget()
        state = .client(address)
        return true
    }

    var isIPv6: Bool { peer.bytes.count == 16 }

    private func forget() {
        switch state {
        case .listening(let socket), .refusing(let socket): try? socket.close()
        case .none, .client: break
        }
        state = .none
    }

    // MARK: Connecting

    /// Makes the data connection for a transfer; the port is used up, whatever comes of it.
    ///
    /// - Returns: `nil` when the client did not come within the time, cannot be reached, or sent ABOR meanwhile.
    func connect() throws(SessionEnd) -> DataConnection? {
        defer { forget() }
        let deadline = Deadline.after(control.configuration.dataTimeout)
        switch state {
        case .none, .refusing: break
        case .listening(let listener): connection = try accept(at: listener, until: deadline).map(DataConnection.init)
        case .client(let address): try connect(to: address, until: deadline)
        }
        guard let connection else { return nil }
        if let size = control.configuration.dataSendBuffer { Socket.setSendBuffer(connection.socket, size) }
        connection.isEstablished = true
        control.noteDataConnection()
        return connection
    }

    /// Ends the data connection of a transfer, at the level of TCP: in order, or by RST.
    func disconnect(_ ending: FaultPlan.Ending) {
        guard let old = connection else { return }
        connection = nil
        if old.isEstablished { control.note(old) }
        switch ending {
        case .close: try? old.socket.close()
        case .reset: Socket.reset(old.socket)
        }
    }

    private func accept(at listener: FileDescriptor, until deadline: Deadline) throws(SessionEnd) -> FileDescriptor? {
        while !control.isAbortWaiting {
            try control.hold()
            guard let accepted = try? Socket.accept(listener) else {
                guard try control.wait(for: listener, POLLIN, until: deadline) else { return nil }
                if control.hasEnded { throw .closedByClient }
                continue
            }
            if accepted.1.bytes == peer.bytes { return accepted.0 }
            try? accepted.0.close()
        }
        return nil
    }

    /// Connects from 127.0.0.2, and waits until the client has hung up.
    private func connectFromElsewhere(to address: SocketAddress, until deadline: Deadline) throws(SessionEnd) {
        guard let local = SocketAddress("127.0.0.2", port: 0),
            let socket = try? Socket.connect(to: address, from: local)
        else { return }
        defer { try? socket.close() }
        _ = try control.wait(for: socket, POLLIN, until: deadline)
    }

    private func connect(to address: SocketAddress, until deadline: Deadline) throws(SessionEnd) {
        if control.configuration.dialect.quirks.contains(.connectsFromElsewhereToo), !isIPv6 {
            try connectFromElsewhere(to: address, until: deadline)
        }
        guard let socket = try? Socket.connect(to: address) else { return }
        // Noted at once, so that it is closed whatever ends the wait.
        connection = DataConnection(socket)
        while !control.isAbortWaiting {
            try control.hold()
            var state = pollfd(fd: socket.rawValue, events: Int16(POLLOUT), revents: 0)
            if poll(&state, 1, 0) > 0 {
                if Socket.connectionError(of: socket) == nil { return }
                break
            }
            guard try control.wait(for: socket, POLLOUT, until: deadline) else { break }
            if control.hasEnded { throw .closedByClient }
        }
        disconnect(.close)
    }
}
