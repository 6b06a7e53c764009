internal import SystemPackage
internal import Threading

/// Why a session is over. Thrown by everything that waits, caught in one place: ``Session/run(isExcess:)``.
enum SessionEnd: Error {
    /// The client has closed the control connection, or it broke.
    case closedByClient
    /// The server stops, drops its connections, or a fault says so.
    case dropped
    /// The last reply has been sent.
    case finished
}

/// One control connection and its transfers: the state of a client's session, used by its thread only.
final class Session {
    let core: ServerCore
    let control: ControlConnection
    let data: DataPort

    var user: [UInt8]?
    var isLoggedIn = false
    var directory: ServerPath {
        didSet {
            let (number, directory) = (control.number, directory)
            core.directories.withLock { $0[number] = directory }
        }
    }
    var isASCII = true
    /// What REST said, for the next transfer.
    var restart: Int64 = 0
    /// The verb that PRET said, for the next transfer.
    var announced: [UInt8]?
    /// What RANG said, for the next RETR: its first and its last byte.
    var range: ClosedRange<Int64>?
    /// What RNFR named, for the RNTO behind it.
    var renameFrom: ServerPath?
    var facts: [MachineListingFormat.Fact]
    /// The last transfer was ended by an ABOR that is still to be answered.
    var wasAborted = false
    /// Whether the session ends behind the reply under way.
    var isFinishing = false
    /// Whether TLS begins behind the reply under way.
    var startsSecurity = false
    /// Whether PBSZ was sent.
    var hasBufferSize = false
    /// Whether data connections are protected by TLS: PROT.
    var isDataPrivate = false
    /// What goes wrong with the present command.
    var faults = ActiveFaults([])

    init(core: ServerCore, handle: SessionHandle, control socket: FileDescriptor, peer: SocketAddress) {
        self.core = core
        control = ControlConnection(core: core, handle: handle, socket: socket)
        data = DataPort(control: control, peer: peer)
        directory = ServerPath(core.configuration.loginDirectory)
        facts = core.configuration.dialect.facts.facts
    }

    var dialect: Dialect { core.configuration.dialect }
    var storage: any ServerStorage { core.storage }

    /// Serves the client to the end, then closes everything: the one closing path.
    func run(isExcess: Bool) {
        do throws(SessionEnd) {
            if core.tls?.policy.start == .implicit { try secure() }
            try greet(isExcess: isExcess)
            while true {
                guard let command = try control.next(within: core.configuration.idleTimeout) else {
                    try reply(answer(.idleTimeout))
                    throw .finished
                }
                try perform(command)
            }
        } catch {
            let number = control.number
            core.directories.withLock { $0[number] = nil }
            core.noteEnding(number)
            data.close()
            if error == .dropped, faults.drop != nil, faults.dropEnding == .reset { control.resetsAtClose() }
            control.close(inOrder: error == .finished)
        }
    }

    private func greet(isExcess: Bool) throws(SessionEnd) {
        let isTurnedAway = isExcess && !dialect.quirks.contains(.countsConnectionsAtLogin)
        try perform(
            ControlConnection.Command(number: nil, verb: FaultPlan.greeting, argument: nil)
        ) { () throws(SessionEnd) in
            self.isFinishing = isTurnedAway
            return self.answer(isTurnedAway ? .tooManyConnections : .greeting)
        }
    }

    /// Begins TLS.
    private func secure() throws(SessionEnd) {
        guard let context = core.tls else { return }
        let effects = core.effects(verb: FaultPlan.handshake, argument: [], connection: control.number)
        let faults = ActiveFaults(effects)
        if faults.delay > .zero { try control.sleep(faults.delay) }
        if faults.drop != nil { throw .dropped }
        if faults.stallsHandshake { try control.sleep(nil) }
        try control.secure(context)
        isDataPrivate = context.policy.startsWithPrivateData
    }

    private func perform(_ command: ControlConnection.Command) throws(SessionEnd) {
        try perform(command) { () throws(SessionEnd) in try self.dispatch(command) }
    }

    /// Does one command, with everything that is to go wrong with it.
    private func perform(
        _ command: ControlConnection.Command, _ body: () throws(SessionEnd) -> Answer
    ) throws(SessionEnd) {
        try control.hold()
        let effects = core.effects(verb: command.verb, argument: command.argument ?? [], connection: control.number)
        faults = ActiveFaults(effects)
        control.begin(command, oneByteAtATime: faults.sendsByteByByte)
        if faults.delay > .zero { try control.sleep(faults.delay) }
        if faults.drop == .beforeDoing { throw .dropped }
        switch faults.instead {
        case .reply(let answer, let closes):
            try reply(answer)
            if closes { throw .finished }
            return
        case .garbage(let bytes):
            try control.send(bytes)
            if faults.drop != nil { throw .dropped }
            return
        case .silence:
            try control.sleep(nil)
        case nil:
            break
        }
        let answer = try body()
        if faults.drop == .beforeReply { throw .dropped }
        if !faults.omitsFinalReply { try reply(faults.finalReply ?? answer, and: faults.behindReply) }
        if faults.drop == .afterReply { throw .dropped }
        if startsSecurity {
            startsSecurity = false
            try secure()
        }
        if isFinishing { throw .finished }
    }

    /// Sends a reply, also one with a code of the first hundred. - Parameter more: bytes that follow at once.
    func reply(_ answer: Answer, and more: [UInt8] = []) throws(SessionEnd) {
        control.noteReply(answer.code)
        try control.send(answer.wire(doublingIAC: dialect.quirks.contains(.doublesIAC)) + more)
    }

    // MARK: Words

    /// What the dialect says on an occasion.
    ///
    /// - Parameter fields: what stands for the names in braces, besides `{user}`.
    func answer(_ phrase: Phrase, _ fields: Answer.Fields = [:]) -> Answer {
        Answer(
            dialect.saying(phrase), fields.merging(["user": user ?? []]) { given, _ in given },
            repeatingCode: dialect.quirks.contains(.repeatsCodeInLines))
    }

    /// The path that an argument means.
    func path(_ argument: [UInt8]) -> ServerPath { ServerPath(argument, in: directory) }

    /// A path for a reply in quotes (RFC 959, appendix II).
    func quoted(_ path: [UInt8]) -> [UInt8] {
        let quote = UInt8(ascii: "\"")
        if dialect.quirks.contains(.leavesQuotesSingle) { return path }
        return path.flatMap { $0 == quote ? [quote, quote] : [$0] }
    }

    /// Does something with a path and says how that went.
    ///
    /// - Parameter body: returns what it adds to the fields of the reply.
    func answer(
        _ success: Phrase, else failure: Phrase, _ argument: [UInt8],
        _ body: (any ServerStorage, ServerPath) throws(StorageError) -> Answer.Fields
    ) -> Answer {
        let path = path(argument)
        var fields: Answer.Fields = ["argument": argument, "path": quoted(path.absolute)]
        do throws(StorageError) {
            fields.merge(try body(storage, path)) { _, new in new }
            return answer(success, fields)
        } catch {
            return refusal(failure, argument, error)
        }
    }

    /// What is said when the storage refuses.
    func refusal(_ phrase: Phrase, _ argument: [UInt8], _ error: StorageError) -> Answer {
        answer(
            phrase,
            [
                "argument": argument, "path": quoted(path(argument).absolute),
                "reason": Array(dialect.reasons.text(error).utf8),
            ])
    }
}
