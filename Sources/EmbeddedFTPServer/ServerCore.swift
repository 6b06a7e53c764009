internal import CLinux
internal import Synchronization
internal import SystemPackage
internal import Threading

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// What the threads of a server share. They hold this and not the server itself, so that a forgotten server still
/// stops when nobody refers to it any more.
///
/// Lock order: none; no monitor is entered while another one is held.
final class ServerCore: Sendable {
    let configuration: EmbeddedFTPServer.Configuration
    let storage: any ServerStorage
    let port: UInt16
    let transcript: Monitor<Transcript>
    /// Where each session is, by the number of its control connection.
    let directories = Monitor<[Int: ServerPath]>([:])
    /// `nil`: the server does not speak TLS.
    let tls: TLSContext?

    private let listener: FileDescriptor
    private let acceptorWake: WakeUp
    private let state: Monitor<State>
    private let paused = Atomic(false)

    private struct State {
        var phase = Phase.listening
        var acceptor: Thread?
        var sessions: [Int: OpenSession] = [:]
        /// Threads of sessions that have ended and are to be joined.
        var ended: [Thread] = []
        var nextConnection = 1
        var faults: FaultSchedule
    }

    private enum Phase {
        case listening, serving, stopping, stopped
    }

    private struct OpenSession {
        let handle: SessionHandle
        /// `nil` for the moment between its start and the note of it.
        var thread: Thread?
        var isLoggedIn = false
        /// Whether it takes no place any more: it is about to close.
        var isEnding = false
        var hasEnded = false
    }

    /// How many connections the kernel keeps for the acceptor: the most it takes by default (SOMAXCONN before 5.4).
    private static let backlog: Int32 = 128

    init(_ configuration: EmbeddedFTPServer.Configuration) throws(EmbeddedFTPServer.StartFailure) {
        guard let address = SocketAddress(configuration.address, port: configuration.port) else {
            throw .badAddress(configuration.address)
        }
        self.configuration = configuration
        switch configuration.storage {
        case .directory(let path):
            do throws(Errno) { storage = try DirectoryStorage(path) } catch { throw .cannotOpen(path, error) }
        case .memory(let tree):
            storage = MemoryStorage(tree)
        }
        do throws(TLSFailure) {
            tls = try configuration.tls.map { (policy) throws(TLSFailure) in try TLSContext(policy) }
        } catch {
            throw .noSecurity(error)
        }
        do throws(Errno) { acceptorWake = try WakeUp() } catch { throw .noResources(error) }
        do throws(Errno) { listener = try Socket.listen(at: address, backlog: Self.backlog) } catch {
            throw .cannotListen(error)
        }
        port = Socket.localAddress(of: listener)?.port ?? configuration.port
        transcript = Monitor(Transcript(capacity: configuration.transcriptCapacity))
        state = Monitor(State(faults: FaultSchedule(configuration.faults)))
    }

    // MARK: Life

    func start() throws(EmbeddedFTPServer.StartFailure) {
        let isFirst = state.withLock { state in
            guard state.phase == .listening else { return false }
            state.phase = .serving
            return true
        }
        guard isFirst else { return }
        do throws(Thread.NotStarted) {
            let acceptor = try Thread(named: "ftp-\(port)") { [self] in acceptUntilStopped() }
            // A stop in between waits for the note: see stop().
            state.withLockThenWake { $0.acceptor = acceptor }
        } catch {
            state.withLockThenWake { $0.phase = .listening }
            throw .noResources(Errno(rawValue: error.code))
        }
    }

    func stop() {
        let (wasListening, isMine) = state.withLockThenWake { state -> (Bool, Bool) in
            switch state.phase {
            case .listening, .serving:
                defer { state.phase = .stopping }
                return (state.phase == .listening, true)
            case .stopping, .stopped:
                return (false, false)
            }
        }
        guard isMine else {
            // Bounded by the other caller's stop.
            _ = state.wait(until: .never) { $0.phase == .stopped ? true : nil }
            return
        }
        acceptorWake.signal()
        if !wasListening {
            // The acceptor is noted by start() right behind its start.
            let acceptor = state.wait(until: .never) { $0.acceptor }
            acceptor?.join()
        }
        for handle in handles() { handle.drop() }
        // Bounded: every session waits in a poll that drop() ends.
        _ = state.wait(until: .never) { $0.sessions.isEmpty ? true : nil }
        joinEnded()
        try? listener.close()
        state.withLockThenWake { $0.phase = .stopped }
    }

    func dropAllConnections() {
        let dropped = handles()
        for handle in dropped { handle.drop() }
        let numbers = Set(dropped.map(\.number))
        // Bounded: every session waits in a poll that drop() ends.
        _ = state.wait(until: .never) { $0.sessions.keys.contains { numbers.contains($0) } ? nil : true }
    }

    func setPaused(_ isPaused: Bool) {
        paused.store(isPaused, ordering: .releasing)
        for handle in handles() { handle.wake.signal() }
    }

    var isPaused: Bool { paused.load(ordering: .acquiring) }

    var openConnections: Int { state.withLock { $0.sessions.values.count { !$0.isEnding } } }

    private func handles() -> [SessionHandle] { state.withLock { $0.sessions.values.map(\.handle) } }

    // MARK: Faults

    func setFaults(_ plan: FaultPlan) { state.withLock { $0.faults = FaultSchedule(plan) } }

    /// Counts a command and says what is to go wrong with it.
    func effects(verb: String, argument: [UInt8], connection: Int) -> [FaultPlan.Effect] {
        state.withLock { $0.faults.effects(verb: verb, argument: argument, connection: connection) }
    }

    // MARK: Sessions

    /// Takes one of the places for logged-in users. - Returns: whether there was one.
    func logIn(_ number: Int) -> Bool {
        state.withLock { state in
            let others = state.sessions.values.count { $0.isLoggedIn && !$0.isEnding && $0.handle.number != number }
            guard others < limit else { return false }
            state.sessions[number]?.isLoggedIn = true
            return true
        }
    }

    /// Frees a session's place, before its connection is closed, so that a client that sees the end can come again.
    func noteEnding(_ number: Int) { state.withLock { $0.sessions[number]?.isEnding = true } }

    private var limit: Int { min(configuration.maximumConnections ?? .max, EmbeddedFTPServer.Configuration.ceiling) }

    private func acceptUntilStopped() {
        while true {
            joinEnded()
            // Behind the clearing of the wake-up, so that a stop in between is not slept through.
            if state.withLock({ $0.phase == .stopping }) { return }
            var waits = [
                pollfd(fd: listener.rawValue, events: Int16(POLLIN), revents: 0),
                pollfd(fd: acceptorWake.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            ]
            poll(&waits, nfds_t(waits.count), -1)
            if waits[1].revents != 0 { continue }
            do throws(Errno) {
                while let (socket, peer) = try Socket.accept(listener) { begin(socket, peer) }
            } catch {
                // No descriptor is left: the connection stays in the queue. Look again a little later.
                poll(nil, 0, 50)
            }
        }
    }

    private func begin(_ socket: FileDescriptor, _ peer: SocketAddress) {
        guard let wake = try? WakeUp() else {
            try? socket.close()
            return
        }
        let accepted = state.withLock { state -> (SessionHandle, isExcess: Bool)? in
            // Beyond the ceiling not even a thread is spent on saying so.
            guard state.sessions.count < EmbeddedFTPServer.Configuration.ceiling else { return nil }
            let handle = SessionHandle(number: state.nextConnection, wake: wake)
            state.nextConnection += 1
            let isExcess = state.sessions.values.count { !$0.isEnding } >= limit
            state.sessions[handle.number] = OpenSession(handle: handle)
            return (handle, isExcess)
        }
        guard let (handle, isExcess) = accepted else {
            try? socket.close()
            return
        }
        transcript.withLockThenWake { $0.noteConnection() }
        do throws(Thread.NotStarted) {
            let thread = try Thread(named: "ftp-\(port)-\(handle.number)") { [self] in
                Session(core: self, handle: handle, control: socket, peer: peer).run(isExcess: isExcess)
                noteEnd(of: handle.number)
            }
            note(thread, of: handle.number)
        } catch {
            try? socket.close()
            state.withLockThenWake { $0.sessions[handle.number] = nil }
        }
    }

    /// Keeps a session's thread; whoever of this and ``noteEnd(of:)`` comes second hands it over for joining.
    private func note(_ thread: Thread, of number: Int) {
        state.withLockThenWake { state in
            if state.sessions[number]?.hasEnded == true {
                state.sessions[number] = nil
                state.ended.append(thread)
            } else {
                state.sessions[number]?.thread = thread
            }
        }
    }

    private func noteEnd(of number: Int) {
        state.withLockThenWake { state in
            if let thread = state.sessions[number]?.thread {
                state.sessions[number] = nil
                state.ended.append(thread)
            } else {
                state.sessions[number]?.hasEnded = true
            }
        }
        acceptorWake.signal()
    }

    private func joinEnded() {
        let ended = state.withLock { state in
            defer { state.ended = [] }
            return state.ended
        }
        acceptorWake.clear()
        for thread in ended { thread.join() }
    }
}

/// What others may do to a session: wake it, and end it.
final class SessionHandle: Sendable {
    /// Counts the control connections, from 1.
    let number: Int
    let wake: WakeUp
    private let dropped = Atomic(false)

    init(number: Int, wake: WakeUp) {
        self.number = number
        self.wake = wake
    }

    var isDropped: Bool { dropped.load(ordering: .acquiring) }

    /// Makes the session close its connections as soon as it waits for anything.
    func drop() {
        dropped.store(true, ordering: .releasing)
        wake.signal()
    }
}

/// A descriptor that wakes a `poll(2)`.
final class WakeUp: Sendable {
    let descriptor: FileDescriptor

    init() throws(Errno) {
        let raw = clinux_eventfd(0)
        guard raw >= 0 else { throw Socket.lastError() }
        descriptor = FileDescriptor(rawValue: raw)
    }

    deinit { try? descriptor.close() }

    func signal() {
        var one: UInt64 = 1
        write(descriptor.rawValue, &one, MemoryLayout.size(ofValue: one))
    }

    func clear() {
        var count: UInt64 = 0
        read(descriptor.rawValue, &count, MemoryLayout.size(ofValue: count))
    }
}
