package import FTPProtocol
import Logging
import Synchronization
package import Threading
package import Vocabulary

/// An FTP server as a place for files: blocking calls that any thread may make at any time.
///
/// ## What is repeated
/// - A command that cannot have reached the server, because an idle connection turned out to be dead, is sent again on
///   another one, whatever it is. Each such attempt uses up one dead connection, so there is an end.
/// - What only asks, and what has the same effect twice (setting a time), is repeated ``maximumRepeats`` times after the
///   connection was lost in the middle, or the server broke a listing off; and once after a refusal in whose words
///   something has broken ("Broken pipe").
/// - What has another effect the second time (`MKD`, `DELE`, `RNTO` …) is *settled* when its answer was lost: one look on
///   a new connection tells whether it was done. If it was, that is success; if not, it is sent once more.
///
/// A time-out is one of these, for as long as `ClientConfiguration.endurance` goes: each attempt then takes as long as the
/// first. Beside that, a command that this server has never answered and that can be done without is struck out. No call
/// fails because a connection was taken away, refused beyond the first, or dropped while idle.
///
/// ## How long a call may take
/// As long as the limits of `ClientConfiguration.Timeouts` for each step of each attempt, and the wait for a free connection
/// (see ``ConnectionPool``). Every wait ends at once when the call's `Cancellation` fires.
package final class Client: Sendable {
    /// How often an interrupted request is made again.
    static let maximumRepeats = 2
    /// How often a command is sent again that never left, at least; plus once per connection that may be dead.
    private static let extraUnsent = 2

    let server: SharedServer
    let pool: ConnectionPool
    private let isHurried = Atomic(false)

    /// A client that has not connected yet.
    package init(configuration: ClientConfiguration) {
        server = SharedServer(configuration)
        pool = ConnectionPool(server)
    }

    deinit { pool.close() }

    /// Connects, logs in and enters the base directory, so that what is wrong with them shows now.
    ///
    /// Blocks at most `timeouts.establish`, or some ten seconds longer while the server says that it is full.
    package func connect(cancellation: Cancellation) throws(FTPError) {
        pool.release(try pool.lease(for: .metadata, cancellation))
    }

    /// Ends all connections that are not in use, and the others when they are given back. Later calls throw `closed`.
    /// Blocks at most two seconds.
    package func close() {
        pool.close()
    }

    /// Lets nobody wait any more for a server that cannot be reached, however long that was to be: the mount ends. Does not
    /// block.
    package func hurry() {
        isHurried.store(true, ordering: .relaxed)
        pool.hurry()
    }

    /// For how long one request is to be made again.
    var endurance: Endurance { isHurried.load(ordering: .relaxed) ? .none : server.configuration.endurance }

    /// Whether modification times can be set, as far as it is known.
    package var setsModificationTime: Bool { server.known.time != .none }
    /// Whether permission bits can be set, as far as it is known.
    package var setsMode: Bool { server.known.hasChangeMode }
    /// Whether files can be appended to, as far as it is known.
    package var appends: Bool { server.known.hasAppend || server.known.hasRestart }
    /// Whether what becomes of bytes that are appended, or written into a file, is known of this server: where not, it is
    /// looked at once.
    package var isProvenToWrite: Bool { server.known.appendIsProven }
    /// Whether the first bytes of a file can be written over without touching the rest.
    package var replacesStart: Bool {
        server.known.storesRanges && server.known.features?.words(of: "RANG").contains("STREAM") == true
    }
    /// Whether the size of a file can be asked for in the flight of a write.
    package var looksInFlight: Bool {
        let known = server.known
        return server.configuration.pipelining == .automatic && known.takesCommandsTogether && !known.answersOutOfStep
            && known.hasSize
    }
    /// Whether the server refuses to remove a directory that holds anything.
    package var removesOnlyEmpty: Bool { server.known.removesOnlyEmpty }
    /// Whether symbolic links can be made, as far as it is known.
    package var makesSymbolicLinks: Bool { server.known.hasSymbolicLink ?? true }

    /// Looks whether the server can have a name at all, as far as it is known. Sends nothing and does not block.
    ///
    /// - Throws: `invalidArgument` when it cannot.
    package func check(newName name: FileName) throws(FTPError) { try server.check(newName: name) }

    /// How many more transfers could begin now without anybody having to wait, one connection being left for short work.
    package var spareConnections: Int { pool.spareConnections }

    /// Whether there are connections for work ahead of anybody's wish, of which so many pieces are expected: a login must
    /// not cost more than it saves. Does not block.
    package func admitsAhead(pieces: Int) -> Bool { pool.admitsAhead(pieces: pieces) }

    /// What has been seen of the server's TLS; `nil`: there was none.
    package var observedTLS: TLSObservation? { server.known.tls.observed }

    // MARK: - Asking

    /// What a directory holds, in the server's order.
    ///
    /// - Parameter checking: whether to make sure, where the server's empty answer leaves it open, that there is such a
    ///   directory; without it such a one may look empty.
    /// - Parameter urgency: what is asked ahead waits for a connection that nobody else wants.
    package func list(
        _ directory: RemotePath, checking: Bool = true, urgency: Urgency = .wanted, cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        try listing(of: directory, checking: checking, urgency: urgency, cancellation: cancellation).entries
    }

    /// What a directory holds, and whether that is all; otherwise as ``list(_:checking:urgency:cancellation:)``.
    package func listing(
        of directory: RemotePath, checking: Bool = true, urgency: Urgency = .wanted, cancellation: Cancellation
    ) throws(FTPError) -> DirectoryListing {
        try ask(cancellation, urgency: urgency) { (session) throws(FTPError) in
            try session.list(directory, checking: checking, cancellation)
        }
    }

    /// The entries of a directory with what symbolic links lead to on the server in their place; links that lead nowhere
    /// stay. Up to three round trips for each link that leads out of the directory.
    package func following(
        _ entries: [ListingEntry], in directory: RemotePath, cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        guard entries.contains(where: { $0.kind == .symbolicLink }) else { return entries }
        return try ask(cancellation) { (session) throws(FTPError) in
            try session.following(entries, in: directory, cancellation)
        }
    }

    /// The absolute path of the mounted directory on the server; `nil` when it is not known, or the server does not say it.
    package var baseDirectory: [UInt8]? {
        guard case .absolute(let path) = server.known.root else { return nil }
        return path
    }

    /// Asks for ``baseDirectory``, if that has not been done. At most a few round trips.
    package func learnBaseDirectory(cancellation: Cancellation) throws(FTPError) {
        guard server.known.root == .unknown else { return }
        _ = try ask(cancellation) { (session) throws(FTPError) in try session.root(cancellation) }
    }

    /// A fresh look at one thing that is not the root; `nil` when there is no such thing.
    package func status(of path: RemotePath, cancellation: Cancellation) throws(FTPError) -> ListingEntry? {
        try ask(cancellation) { (session) throws(FTPError) in try session.status(of: path, cancellation) }
    }

    /// The size of a file in bytes by `SIZE`; `nil` where the server does not say it.
    package func size(of path: RemotePath, cancellation: Cancellation) throws(FTPError) -> Int64? {
        try ask(cancellation) { (session) throws(FTPError) in try session.size(of: path, cancellation) }
    }

    /// When a file was last changed by `MDTM`; `nil` where the server does not say it.
    package func modificationTime(of path: RemotePath, cancellation: Cancellation) throws(FTPError) -> Timestamp? {
        try ask(cancellation) { (session) throws(FTPError) in try session.modificationTime(of: path, cancellation) }
    }

    // MARK: - Files

    /// Starts to read a file at a byte offset.
    ///
    /// - Parameter expecting: what is known of the file; a stream that is taken up again must still find that.
    /// - Parameter urgency: what is read ahead waits for a connection that nobody else wants, and gives it up to whoever
    ///   wants one.
    package func openRead(
        _ path: RemotePath, from offset: Int64, expecting: FileVersion, urgency: Urgency = .wanted,
        cancellation: Cancellation
    ) throws(FTPError) -> ReadStream {
        guard offset >= 0 else { throw .invalidArgument("a negative offset") }
        let stream = ReadStream(pool, server, path, at: offset, expecting: expecting) { [weak self] in
            self?.endurance ?? .none
        }
        try stream.open(urgency, cancellation)
        return stream
    }

    /// Starts to write a file.
    ///
    /// - Parameter head: the first bytes, if they are known; the first `send` brings them all the same. They may go out
    ///   with the command.
    /// - Parameter question: what has to be known of its size before, with `.append` and `.at`; asked for in the same flight
    ///   where ``looksInFlight``. Where another size than the required one is told, or none, nothing is written.
    /// - Parameter whenWanted: called, on any thread and without a lock, when others wait for the connection of a stream
    ///   whose writer lets it wait; the writer then ends it soon. `nil`: it is not to be asked.
    package func openWrite(
        _ path: RemotePath, _ mode: WriteMode, head: UploadHead? = nil, size question: SizeQuestion = .none,
        whenWanted: (@Sendable () -> Void)? = nil, cancellation: Cancellation
    ) throws(FTPError) -> WriteStream {
        var mayGoOn = false
        return try openWrite(
            path, mode, head: head, size: question, whenWanted: whenWanted, cancellation: cancellation,
            mayGoOn: &mayGoOn)
    }

    /// The same, with what has to be known when it fails.
    ///
    /// - Parameter mayGoOn: whether the server may still carry the command out, or write bytes that went out with it; see
    ///   ``WriteStream/mayGoOn``.
    package func openWrite(
        _ path: RemotePath, _ mode: WriteMode, head: UploadHead?, size question: SizeQuestion,
        whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation, mayGoOn: inout Bool
    ) throws(FTPError) -> WriteStream {
        // No byte of the file counts when this fails, so it may be repeated like a question. But a `STOR` whose connection was
        // lost may be carried out later, and would then empty what another one has brought under that name; and what went out
        // with an `APPE` may be in the file.
        let isUnsafeTwice =
            switch mode {
            case .replace: true
            case .append: head?.range.isEmpty == false
            case .at, .over: false
            }
        var repeats = Repeats(afterLoss: Self.maximumRepeats, unsent: maximumUnsent)
        while true {
            // For the pool, an upload that can be ended and gone on with is what a reading stream is.
            let session = try pool.lease(for: whenWanted == nil ? .writing : .reading, cancellation)
            let transfer: Transfer
            do throws(FTPError) {
                transfer = try session.openWrite(path, mode, head: head, size: question, cancellation)
            } catch {
                mayGoOn = session.settleUpload() == .unknown && !error.leftNothingDone
                pool.release(session)
                let mayComeLater = isUnsafeTwice && error.isConnectionLoss && !error.leftNothingDone
                guard !mayComeLater, repeats.allow(after: error) else { throw error }
                continue
            }
            let stream = WriteStream(pool, server, path, mode, head, transfer)
            if let whenWanted { pool.onYieldRequest(session, whenWanted) }
            return stream
        }
    }

    /// Whether bytes written into the middle of a file leave what follows them alone (RFC 3659 §5.3 leaves it open:
    /// Pure-FTPd cuts the rest off). Of products in ``ServerQuirk/table`` it is known; else it is tried once with a scratch
    /// file, which is removed again, and remembered.
    ///
    /// Blocks for some eight round trips where it has to be tried.
    package func keepsTail(scratch: RemotePath, cancellation: Cancellation) throws(FTPError) -> Bool {
        if let known = server.known.keepsTail ?? server.known.productKeepsTail { return known }
        let session = try pool.lease(for: .writing, cancellation)
        defer { pool.release(session) }
        let keeps = try session.keepsTail(scratch: scratch, cancellation)
        server.learn { $0.keepsTail = keeps }
        return keeps
    }

    // MARK: - Changing

    /// Makes a directory.
    package func makeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(FTPError) {
        try change(cancellation) { (session) throws(FTPError) in
            try session.makeDirectory(path, cancellation)
        } isDone: { (session) throws(FTPError) in
            try session.status(of: path, cancellation)?.kind == .directory
        }
    }

    /// How many lines a fresh listing of a directory has, also those that were not understood.
    package func lineCount(of directory: RemotePath, cancellation: Cancellation) throws(FTPError) -> Int {
        try ask(cancellation) { (session) throws(FTPError) in try session.lineCount(of: directory, cancellation) }
    }

    /// Removes a directory. Some servers remove a full one with everything in it: the caller looks first
    /// (``lineCount(of:cancellation:)``).
    package func removeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(FTPError) {
        try withoutSessions(in: path) { () throws(FTPError) in
            try change(cancellation) { (session) throws(FTPError) in
                try session.removeDirectory(path, cancellation)
            } isDone: { (session) throws(FTPError) in
                try session.status(of: path, cancellation) == nil
            }
        }
    }

    /// Removes a file or a symbolic link.
    package func removeFile(_ path: RemotePath, cancellation: Cancellation) throws(FTPError) {
        try change(cancellation) { (session) throws(FTPError) in
            try session.removeFile(path, cancellation)
        } isDone: { (session) throws(FTPError) in
            try session.status(of: path, cancellation) == nil
        }
    }

    /// Makes a symbolic link. - Throws: `unsupported` on most servers.
    package func makeSymbolicLink(
        _ path: RemotePath, target: [UInt8], cancellation: Cancellation
    ) throws(FTPError) {
        try change(cancellation) { (session) throws(FTPError) in
            try session.makeSymbolicLink(path, target: target, cancellation)
        } isDone: { (session) throws(FTPError) in
            try session.status(of: path, cancellation) != nil
        }
    }

    /// Sets when the content was last changed; whole seconds. - Throws: `unsupported` where no command for it works.
    package func setModificationTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(FTPError) {
        try ask(cancellation) { (session) throws(FTPError) in
            try session.setModificationTime(path, to: time, cancellation)
        }
    }

    /// The same of a directory. - Throws: `unsupported` also where the server does so for files only.
    package func setDirectoryTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(FTPError) {
        guard server.known.directoryTimes.isWorthTrying else { throw .unsupported("set the times of directories") }
        do throws(FTPError) {
            try setModificationTime(path, to: time, cancellation: cancellation)
            server.learn { $0.directoryTimes.succeeded() }
        } catch {
            if error.refusal != nil { server.learn { $0.directoryTimes.refused() } }
            throw error
        }
    }

    /// Sets the permission bits (07777). - Throws: `unsupported` where the server has no `SITE CHMOD`.
    package func setMode(_ path: RemotePath, to mode: UInt32, cancellation: Cancellation) throws(FTPError) {
        try ask(cancellation) { (session) throws(FTPError) in try session.setMode(path, to: mode, cancellation) }
    }

    /// Sets permission bits and time of a file, in one round trip on servers known to take both commands at once.
    package func setAttributes(
        _ path: RemotePath, mode: UInt32, time: Timestamp, cancellation: Cancellation
    ) -> AttributesOutcome {
        do throws(FTPError) {
            return try ask(cancellation) { (session) throws(FTPError) in
                try session.setAttributes(path, mode: mode, time: time, cancellation)
            }
        } catch {
            return AttributesOutcome(modeError: error, timeError: error)
        }
    }

    // MARK: - Repeating

    /// How often one request may still be repeated.
    struct Repeats {
        var afterLoss: Int
        var unsent: Int
        /// For refusals whose words say that something broke, and which may be made again.
        var broken = 0

        /// Whether to make the request again after this error; counts it.
        mutating func allow(after error: FTPError) -> Bool {
            if error.leftNothingDone {
                unsent -= 1
                return unsent >= 0
            }
            guard error.isConnectionLoss || error.isBrokenDownload else {
                guard error.isBrokenInBetween else { return false }
                broken -= 1
                return broken >= 0
            }
            afterLoss -= 1
            return afterLoss >= 0
        }
    }

    var maximumUnsent: Int { server.configuration.connections + Self.extraUnsent }

    /// Runs a request that may be repeated.
    func ask<Result: Sendable>(
        _ cancellation: Cancellation, urgency: Urgency = .wanted, _ body: (Session) throws(FTPError) -> Result
    ) throws(FTPError) -> Result {
        let repeats = Repeats(afterLoss: Self.maximumRepeats, unsent: maximumUnsent, broken: 1)
        // What nobody waits for is not worth it.
        var perseverance = Perseverance(urgency.isWanted ? endurance : .none)
        while true {
            do throws(FTPError) {
                return try perform(cancellation, urgency, repeats, body)
            } catch {
                guard perseverance.persists(after: error, cancellation) else { throw error }
                server.configuration.logger.notice("\(error); trying again")
            }
        }
    }

    /// Runs a change of a directory; once more without our own sessions in it, if the server refuses it.
    func withoutSessions(
        in directory: RemotePath, _ body: () throws(FTPError) -> Void
    ) throws(FTPError) {
        do throws(FTPError) {
            try body()
        } catch {
            guard error.refusal != nil, pool.retreat(from: directory) else { throw error }
            try body()
        }
    }

    /// Runs a request that may not be repeated before it is known whether it was done.
    func change(
        _ cancellation: Cancellation, _ body: (Session) throws(FTPError) -> Void,
        isDone: (Session) throws(FTPError) -> Bool
    ) throws(FTPError) {
        let once = Repeats(afterLoss: 0, unsent: maximumUnsent)
        var perseverance = Perseverance(endurance)
        // One is allowed after a lost connection, whatever the endurance is.
        var isFirst = true
        while true {
            do throws(FTPError) {
                return try perform(cancellation, .wanted, once, body)
            } catch {
                let isGranted = isFirst && error.isConnectionLoss
                guard isGranted || perseverance.persists(after: error, cancellation) else { throw error }
                isFirst = false
                if try ask(cancellation, isDone) { return }
            }
        }
    }

    private func perform<Result: Sendable>(
        _ cancellation: Cancellation, _ urgency: Urgency, _ allowed: Repeats,
        _ body: (Session) throws(FTPError) -> Result
    ) throws(FTPError) -> Result {
        var repeats = allowed
        while true {
            let session = try pool.lease(for: .metadata, urgency: urgency, cancellation)
            do throws(FTPError) {
                let result = try body(session)
                pool.release(session)
                return result
            } catch {
                pool.release(session)
                guard repeats.allow(after: error) || server.strikeOutSilent(error) else { throw error }
            }
        }
    }
}
