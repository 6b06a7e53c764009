internal import SystemPackage
internal import Threading

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// The control connection of a session: commands in, replies out, and the one place where a session waits.
///
/// Whatever a session waits for, this is waited for as well: commands (they are queued and noted in the transcript),
/// the client hanging up, and the server's wish to stop.
final class ControlConnection {
    /// One line of the client.
    struct Command {
        /// Its number in the transcript; `nil` for the greeting, which no command asked for.
        let number: Int?
        /// In capitals.
        let verb: String
        /// What stands behind the blank behind the verb.
        let argument: [UInt8]?
        /// The line was too long and is lost.
        var isTooLong = false
    }

    /// The longest line. A path may have 4,095 bytes (PATH_MAX), twice that if it is full of 0xFF pairs.
    private static let maximumLine = 8_300
    /// How many commands are read ahead of the one being done. More than any client sends together; a hostile one is
    /// left waiting in its socket buffer.
    private static let maximumQueue = 64
    /// How long a client may take to fetch a reply: far beyond any real delay.
    private static let sendTimeout: Duration = .seconds(60)

    private let core: ServerCore
    private let handle: SessionHandle
    private let socket: FileDescriptor
    private var input: [UInt8] = []
    /// Whether the rest of a line that was too long is being skipped.
    private var isSkipping = false
    private var queue: [Command] = []
    /// Whether the client has closed its side, or the connection broke.
    private(set) var hasEnded = false
    private var current: (number: Int?, verb: String) = (nil, "")
    private var isSlow = false
    /// TLS, from its handshake on.
    private var tls: TLSConnection?
    private var isHandshaking = false
    /// Whether TLS may hold lines back, which no poll(2) shows.
    private var mayHoldMore = false

    init(core: ServerCore, handle: SessionHandle, socket: FileDescriptor) {
        self.core = core
        self.handle = handle
        self.socket = socket
        Socket.setNoDelay(socket)
        Socket.keepUrgentInline(socket)
    }

    var number: Int { handle.number }
    var localAddress: SocketAddress? { Socket.localAddress(of: socket) }
    var configuration: EmbeddedFTPServer.Configuration { core.configuration }

    /// Whether TLS protects it.
    var isSecure: Bool { tls != nil }

    /// Closes it. Called once, when nothing is sent or read any more.
    ///
    /// - Parameter inOrder: whether the client is told, under TLS.
    func close(inOrder: Bool) {
        if inOrder, let tls {
            tls.writeCloseNotify()
            _ = tls.flush()
        }
        try? socket.close()
    }

    /// Lets ``close(inOrder:)`` be an RST, which takes along what the client has not fetched yet.
    func resetsAtClose() { Socket.resetAtClose(socket) }

    // MARK: Commands

    /// The next command; `nil` when none came within the time.
    func next(within time: Duration?) throws(SessionEnd) -> Command? {
        let deadline = time.map { Deadline.after($0) } ?? .never
        while queue.isEmpty {
            if hasEnded { throw .closedByClient }
            guard try wait(until: deadline) else { return nil }
        }
        return queue.removeFirst()
    }

    /// Whether the client has sent ABOR since.
    var isAbortWaiting: Bool { queue.contains { $0.verb == "ABOR" } }

    /// Notes which command is being done: replies are noted with it.
    func begin(_ command: Command, oneByteAtATime: Bool) {
        current = (command.number, command.verb)
        isSlow = oneByteAtATime
    }

    func noteReply(_ code: UInt16) {
        guard let number = current.number else { return }
        core.transcript.withLockThenWake { $0.noteReply(code, to: number) }
    }

    /// Notes how a data connection of the present command was protected.
    func note(_ data: DataConnection) {
        let protection = data.protection(connection: number, verb: current.verb)
        core.transcript.withLockThenWake { $0.note(protection) }
    }

    func noteDataConnection() { core.transcript.withLockThenWake { $0.noteDataConnection() } }

    func noteBytes(sent: Int = 0, received: Int = 0) {
        core.transcript.withLockThenWake { $0.noteBytes(sent: Int64(sent), received: Int64(received)) }
    }

    // MARK: Waiting

    /// Waits for as long as the server is told to be silent.
    func hold() throws(SessionEnd) {
        if handle.isDropped { throw .dropped }
        while core.isPaused {
            _ = try wait(until: .never)
            if hasEnded { throw .closedByClient }
        }
    }

    /// Lets time pass, for ever if `nil`; ends early only with the session.
    func sleep(_ time: Duration?) throws(SessionEnd) {
        let deadline = time.map { Deadline.after($0) } ?? .never
        while !deadline.hasPassed {
            _ = try wait(until: deadline)
            if hasEnded { throw .closedByClient }
        }
    }

    /// Waits for something to happen, at `other` or here; reads what has come here.
    ///
    /// - Parameter events: POLLIN or POLLOUT, what `other` is waited for.
    /// - Returns: false when the deadline has passed.
    /// - Throws: `dropped` when the server wants the session to end.
    func wait(for other: FileDescriptor? = nil, _ events: Int32 = 0, until deadline: Deadline) throws(SessionEnd)
        -> Bool
    {
        let reads = !hasEnded && queue.count < Self.maximumQueue
        var waits = [
            pollfd(fd: handle.wake.descriptor.rawValue, events: Int16(POLLIN), revents: 0),
            // A negative descriptor is passed over.
            pollfd(fd: reads ? socket.rawValue : -1, events: Int16(POLLIN), revents: 0),
            pollfd(fd: other?.rawValue ?? -1, events: Int16(events), revents: 0),
        ]
        let holdsMore = reads && mayHoldMore
        let count = poll(&waits, nfds_t(waits.count), holdsMore ? 0 : deadline.pollTimeout)
        if waits[0].revents != 0 { handle.wake.clear() }
        if handle.isDropped { throw .dropped }
        if waits[1].revents != 0 || holdsMore { receive() }
        return count != 0 || holdsMore
    }

    /// Looks whether something has come, without waiting.
    func look() throws(SessionEnd) {
        _ = try wait(until: .at(Instant(nanoseconds: 0)))
        if hasEnded { throw .closedByClient }
    }

    // MARK: Sending

    /// Sends bytes; waits while the client does not fetch them.
    func send(_ bytes: [UInt8]) throws(SessionEnd) {
        if let tls { return try send(bytes, through: tls) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { buffer in
                Glibc.send(socket.rawValue, buffer.baseAddress, isSlow ? 1 : buffer.count, Int32(MSG_NOSIGNAL))
            }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                guard try wait(for: socket, POLLOUT, until: .after(Self.sendTimeout)) else { throw .closedByClient }
            } else if errno != EINTR {
                throw .closedByClient
            }
        }
    }

    // MARK: TLS

    /// Does the handshake; everything after it goes through TLS.
    ///
    /// - Throws: `closedByClient` when the client does not take part, `dropped` when OpenSSL has no memory.
    func secure(_ context: TLSContext) throws(SessionEnd) {
        // What came with AUTH came without protection: it could be anybody's, and is not obeyed.
        input = []
        queue = []
        guard let tls = TLSConnection(context, socket, connection: number) else { throw .dropped }
        self.tls = tls
        isHandshaking = true
        let deadline = Deadline.after(Self.sendTimeout)
        while true {
            let step = tls.handshake()
            if step == .needsInput || step == .needsOutput {
                let events = step == .needsInput ? POLLIN : POLLOUT
                guard try wait(for: socket, events, until: deadline) else { throw .closedByClient }
                continue
            }
            let protection = Transcript.Protection(
                connection: number, verb: nil, version: tls.version, resumption: tls.resumption,
                gotCloseNotify: false, failure: tls.failure)
            core.transcript.withLockThenWake { $0.note(protection) }
            guard case .done = step else { throw .closedByClient }
            isHandshaking = false
            // The first command may have come with the end of the handshake.
            mayHoldMore = true
            return
        }
    }

    private func send(_ bytes: [UInt8], through tls: TLSConnection) throws(SessionEnd) {
        let deadline = Deadline.after(Self.sendTimeout)
        let most = isSlow ? 1 : Int.max
        var isTaken = false
        while true {
            let step = isTaken ? tls.flush(atMost: most) : bytes.withUnsafeBytes { tls.write($0, atMost: most) }
            switch step {
            case .done where isTaken: return
            case .done: isTaken = true
            case .needsInput, .needsOutput:
                guard try wait(for: socket, POLLOUT, until: deadline) else { throw .closedByClient }
            case .end, .broken: throw .closedByClient
            }
        }
    }

    // MARK: Receiving

    private func receive() {
        // The handshake reads by itself.
        if isHandshaking { return }
        if let tls { return receive(through: tls) }
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { read(socket.rawValue, $0.baseAddress, $0.count) }
        if count > 0 {
            input += buffer[..<count]
            takeLines()
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            hasEnded = true
        }
    }

    private func receive(through tls: TLSConnection) {
        mayHoldMore = false
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 16) { buffer in
            while true {
                switch tls.read(into: buffer) {
                case .done(let count):
                    input += buffer[..<count]
                    takeLines()
                    if queue.count >= Self.maximumQueue {
                        mayHoldMore = true
                        return
                    }
                case .needsInput, .needsOutput: return
                case .end, .broken:
                    hasEnded = true
                    return
                }
            }
        }
    }

    private func takeLines() {
        while let end = input.firstIndex(of: 0x0A) {
            let line = input[..<end]
            if isSkipping {
                isSkipping = false
            } else if line.count > Self.maximumLine {
                note("", nil, isTooLong: true)
            } else {
                enqueue(line.last == 0x0D ? line.dropLast() : line)
            }
            input.removeFirst(end + 1)
        }
        guard input.count > Self.maximumLine else { return }
        input = []
        if !isSkipping { note("", nil, isTooLong: true) }
        isSkipping = true
    }

    private func enqueue(_ line: ArraySlice<UInt8>) {
        var line = withoutInterrupt(line)
        if line.isEmpty, !configuration.dialect.quirks.contains(.answersEmptyLine) { return }
        if configuration.dialect.quirks.contains(.halvesIAC) { line = halvingIAC(line)[...] }
        let verb = line.prefix { $0 != 0x20 }
        // 0x20 is what separates the cases of ASCII letters.
        let capitals = verb.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
        let argument = line.count > verb.count ? Array(line.dropFirst(verb.count + 1)) : nil
        note(String(decoding: capitals, as: UTF8.self), argument, isTooLong: false)
    }

    private func note(_ verb: String, _ argument: [UInt8]?, isTooLong: Bool) {
        let isSecret = verb == "PASS" || verb == "ACCT"
        let shown = isSecret ? argument.map { _ in Array("****".utf8) } : argument
        let connection = handle.number
        let number = core.transcript.withLockThenWake { $0.note(verb, shown, connection: connection) }
        queue.append(Command(number: number, verb: verb, argument: argument, isTooLong: isTooLong))
    }

    /// Cuts off the TELNET signals that may stand in front of ABOR (RFC 959 §4.1.3): IAC IP and IAC DM.
    private func withoutInterrupt(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        while line.first == 0xFF, let second = line.dropFirst().first, second == 0xF4 || second == 0xF2 {
            line = line.dropFirst(2)
        }
        // The mark alone is left when the urgent byte was taken out of the stream.
        return line.first == 0xF2 ? line.dropFirst() : line
    }

    /// Takes a pair of 0xFF for one, and leaves a single one as it is.
    private func halvingIAC(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var result: [UInt8] = []
        var isSecond = false
        for byte in line {
            let isPair = byte == 0xFF && isSecond
            if !isPair { result.append(byte) }
            isSecond = byte == 0xFF && !isPair
        }
        return result
    }
}
