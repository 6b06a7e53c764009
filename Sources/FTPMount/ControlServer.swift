import CLinux
import Logging
import SystemPackage
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The mounting process's side of the control socket: answers `ftpfs status`, `flush`, `refresh`, `clean` and `unmount`.
///
/// One thread takes connections; each gets a thread of its own for its one request, so that one which waits for uploads
/// keeps nobody from asking how they get on. Nothing here can hurt the mount: who connects must be its owner or root, there
/// are at most ``maximumClients``, a request must come within ``patience`` and be short, an answer must be taken within the
/// same time. A mount that can have no socket works without one.
///
/// ## The name of the socket
/// It is bound to a name of its own and then renamed to the one that is looked for: that replaces what a dead process has
/// left there, and also what belongs to a process whose mount has ended and which still sends files. So who removes
/// the name at the end first looks whether it is still its own.
final class ControlServer: Sendable {
    /// What can be asked for. Any thread; each may block as its command does.
    struct Services: Sendable {
        /// At once.
        var status: @Sendable () -> MountStatus
        /// Makes everything below a path be looked at anew; how many directories. A moment.
        var refresh: @Sendable (RemotePath) -> Int
        /// Sends everything; what could not be sent. `nil`: cancelled.
        var flush: @Sendable (Cancellation) -> [ControlMessage.Unsent]?
        /// Removes what mounts have left on the server. A round trip for each.
        var clean: @Sendable () -> ControlMessage.Cleaned = { ControlMessage.Cleaned() }
    }

    private struct State {
        var clients = 0
        var socket: (path: FilePath, inode: ino_t)?
        var unsent: [ControlMessage.Unsent] = []
        /// The one that takes connections.
        var thread: Thread?
    }

    /// How many can be connected at a time: one terminal has two or three, and a monitor one.
    static let maximumClients = 16
    /// How long a client may take to send its request or to take its answer. It is a process of this machine.
    let patience: Duration
    /// How long the end of the process is put off for answers that are on their way.
    private static let lastAnswers = Duration.seconds(1)

    private let mountPoint: String
    private let logger: Logger
    private let state = Monitor(State())
    /// Fires when it is known how the mount has ended.
    private let finished = Cancellation()
    /// Fires when nobody is to be let in any more.
    private let closing = Cancellation()

    /// Nothing is there yet.
    init(mountPoint: String, logger: Logger, patience: Duration = .seconds(5)) {
        self.mountPoint = mountPoint
        self.logger = logger
        self.patience = patience
    }

    /// Makes the socket and the thread. What goes wrong is a line in the log.
    ///
    /// - Parameter directory: `nil`: the first that can be used.
    func start(_ services: Services, in directory: ControlDirectory? = nil) {
        do throws(ControlDirectory.Unusable) {
            let directory = if let directory { directory } else { try ControlDirectory.make() }
            let socket = try listen(in: directory)
            do throws(Thread.NotStarted) {
                let thread = try Thread(named: "ftpfs-control") { [self] in
                    accept(socket, services)
                    socket.close()
                }
                state.withLock { $0.thread = thread }
            } catch {
                socket.close()
                throw .init(description: "no thread can be started")
            }
        } catch {
            logger.warning("ftpfs status and the like cannot reach this mount: \(error)")
        }
    }

    /// Tells those who wait for the end what has become of everything.
    func finish(_ unsent: [ControlMessage.Unsent]) {
        state.withLock { $0.unsent = unsent }
        finished.cancel()
    }

    /// Removes the socket, and lets nobody in any more. Waits a moment for the last answers.
    func close() {
        closing.cancel()
        finished.cancel()
        remove()
        // It waits for nothing but that.
        state.withLock { state in
            defer { state.thread = nil }
            return state.thread
        }?.join()
        _ = state.wait(until: .after(Self.lastAnswers)) { $0.clients == 0 ? () : nil }
    }

    // MARK: - The socket

    private func listen(in directory: ControlDirectory) throws(ControlDirectory.Unusable) -> ControlSocket {
        let path = directory.socketPath(mountPoint)
        let outcome = directory.locked { () -> Result<ControlSocket, ControlSocket.Failure> in
            directory.removeAbandoned()
            return Result { () throws(ControlSocket.Failure) in
                let socket = try ControlSocket()
                // Under the lock nobody else uses this name: what is there is a leaving.
                let own = FilePath(path.string + ".new")
                unlink(own.string)
                do throws(ControlSocket.Failure) {
                    try socket.listen(at: own)
                    var status = stat()
                    guard lstat(own.string, &status) == 0, rename(own.string, path.string) == 0 else {
                        throw .system(Errno(rawValue: errno))
                    }
                    state.withLock { $0.socket = (path, status.st_ino) }
                    return socket
                } catch {
                    unlink(own.string)
                    socket.close()
                    throw error
                }
            }
        }
        do {
            return try outcome.get()
        } catch {
            throw .init(description: "the socket \(path) cannot be made: \(error)")
        }
    }

    private func remove() {
        guard let (path, inode) = state.withLock({ $0.socket }) else { return }
        ControlDirectory(path: path.removingLastComponent()).locked {
            var status = stat()
            if lstat(path.string, &status) == 0, status.st_ino == inode { unlink(path.string) }
        }
    }

    // MARK: - Clients

    private func accept(_ socket: ControlSocket, _ services: Services) {
        _ = fcntl(socket.descriptor.rawValue, F_SETFL, O_NONBLOCK)
        guard let end = closing.descriptor() else { return }
        while !closing.isCancelled {
            var pollers = [
                pollfd(fd: socket.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: end.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            guard poll(&pollers, 2, -1) > 0 || errno == EINTR else { return }
            guard pollers[0].revents != 0 else { continue }
            let raw = clinux_accept_nonblocking(socket.descriptor.rawValue, nil, nil)
            guard raw >= 0 else {
                // No descriptor left: the connection stays in the queue, and would be asked for again at once.
                if errno == EMFILE || errno == ENFILE { _ = poll(nil, 0, 100) }
                continue
            }
            admit(ControlSocket(FileDescriptor(rawValue: raw)), services)
        }
    }

    private func admit(_ client: ControlSocket, _ services: Services) {
        guard let peer = client.peer, peer == geteuid() || peer == 0 else {
            return turnAway(client, "this mount belongs to another user")
        }
        let isAdmitted = state.withLock { state in
            guard state.clients < Self.maximumClients else { return false }
            state.clients += 1
            return true
        }
        guard isAdmitted else { return turnAway(client, "too many are asking already") }
        do throws(Thread.NotStarted) {
            try Thread.detached(named: "ftpfs-client") { [self] in
                serve(client, services)
                client.close()
                state.withLockThenWake { $0.clients -= 1 }
            }
        } catch {
            state.withLock { $0.clients -= 1 }
            turnAway(client, "no thread can be started")
        }
    }

    private func turnAway(_ client: ControlSocket, _ reason: String) {
        // Fits into the buffer of a new socket: no wait.
        try? client.send(Array((ControlMessage.Refused(reason: reason).answer.line + "\n").utf8), until: .after(.zero))
        client.close()
    }

    private func serve(_ client: ControlSocket, _ services: Services) {
        var answer: JSON?
        do throws(ControlSocket.Failure) {
            let line = try client.receiveLine(atMost: ControlMessage.longestRequest, until: .after(patience))
            do throws(ControlMessage.Refused) {
                answer = perform(try ControlMessage.Request(parsing: line), for: client, services)
            } catch {
                answer = error.answer
            }
        } catch {
            if error == .tooLong { answer = ControlMessage.Refused(reason: "the request is too long").answer }
        }
        guard let answer else { return }
        try? client.send(Array((answer.line + "\n").utf8), until: .after(patience))
    }

    /// - Returns: `nil` when nobody waits for an answer any more.
    private func perform(
        _ request: ControlMessage.Request, for client: ControlSocket, _ services: Services
    ) -> JSON? {
        switch request {
        case .status:
            return .object([("ok", .bool(true)), ("status", services.status().json)])
        case .refresh(let path):
            return .object([("ok", .bool(true)), ("directories", .integer(Int64(services.refresh(path))))])
        case .flush:
            return flush(for: client, services)
        case .clean:
            return services.clean().answer
        case .end:
            guard client.waitWhileConnected(for: finished) else { return nil }
            return ControlMessage.answer(unsent: state.withLock { $0.unsent })
        }
    }

    private func flush(for client: ControlSocket, _ services: Services) -> JSON? {
        let outcome = Monitor<[ControlMessage.Unsent]?>(nil)
        let done = Cancellation()
        let unwanted = Cancellation()
        do throws(Thread.NotStarted) {
            try Thread.detached(named: "ftpfs-flush") {
                if let unsent = services.flush(unwanted) { outcome.withLock { $0 = unsent } }
                done.cancel()
            }
        } catch {
            return ControlMessage.Refused(reason: "no thread can be started").answer
        }
        guard client.waitWhileConnected(for: done) else {
            unwanted.cancel()
            return nil
        }
        return outcome.withLock { $0 }.map(ControlMessage.answer)
    }
}
