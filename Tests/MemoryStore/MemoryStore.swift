package import FileSystem
import SystemPackage
package import Threading
package import Vocabulary

/// A ``RemoteStore`` in memory, for tests: it does what a server does, notes every call, and fails, waits or lies
/// when told.
///
/// Its clock stands still until somebody sets it, its replies come at once, and a transfer moves as many bytes per
/// call as ``Settings/readLimit`` says.
package final class MemoryStore: RemoteStore {
    /// One call, as the file system made it.
    package enum Call: Hashable, Sendable {
        case list(RemotePath)
        case look(RemotePath)
        case size(RemotePath)
        case probe
        case openRead(RemotePath, from: Int64)
        case read(RemotePath)
        case openWrite(RemotePath, RemoteWriteMode)
        case send(RemotePath, Range<Int64>)
        case finish(RemotePath)
        case makeDirectory(RemotePath)
        case removeDirectory(RemotePath)
        case removeFile(RemotePath)
        case rename(RemotePath, to: RemotePath)
        case makeSymbolicLink(RemotePath, target: [UInt8])
        case setModificationTime(RemotePath, Timestamp)
        case setMode(RemotePath, UInt32)
        case space
    }

    /// How the server behaves.
    package struct Settings: Sendable {
        package var capabilities = StoreCapabilities(
            setsModificationTime: true, setsMode: true, makesSymbolicLinks: true)
        /// How coarse the times in listings are.
        package var precision = TimePrecision.second
        /// Whether listings carry times, modes, and sizes.
        package var showsTimes = true
        package var showsModes = true
        package var showsSizes = true
        /// Whether a rename replaces a file without being told to.
        package var renameReplaces = true
        /// Whether bytes written into the middle of a file leave what follows them alone.
        package var keepsTail = true
        /// Whether what is left to be done behind a write is done with its last byte.
        package var doesErrands = false
        /// How much room there is; `nil`: it does not say.
        package var space: RemoteSpace?
        /// How many bytes one read of a stream brings at most.
        package var readLimit = 64 << 10
        /// How many entries a listing shows; it then says that it is not complete.
        package var listingLimit: Int?
        /// Whether links show their targets with a `../` for each directory above them, as if these were absolute; one
        /// whose target is `OUT` shows none.
        package var movesLinks = false
        /// The target that all files in listings have, as if they stood in the place of links.
        package var followsTo: [UInt8]?
        /// How many streams more there may be without anybody having to wait.
        package var spareStreams = 3
        /// The server's clock.
        package var time = Timestamp(seconds: 1_000_000_000)
    }

    /// Runs before each call; it may throw what the server is to answer, or wait.
    package typealias Hook = @Sendable (Call, Cancellation) throws(StoreError) -> Void

    struct State {
        var root = Node(directory: Timestamp(seconds: 900_000_000))
        var settings = Settings()
        var calls: [Call] = []
        var callsAhead: [Call] = []
        var bytesRead: Int64 = 0
        var knownListings: [Bool] = []
        var hook: Hook?
        /// After how many bytes the next transfer breaks, and what of such ones is late.
        var breaksAfter: Int?
        var late: [LateWrite] = []
        /// How to reach the writers that can be asked for their connection.
        var writers: [ObjectIdentifier: @Sendable () -> Void] = [:]
    }

    let state = Monitor(State())

    /// An empty server.
    package init() {}

    /// All calls so far but the single reads of streams.
    package var calls: [Call] { state.withLock { $0.calls } }

    /// Those of the calls that nobody waited for when they were made.
    package var callsAhead: [Call] { state.withLock { $0.callsAhead } }

    /// How many bytes the read streams have brought.
    package var bytesRead: Int64 { state.withLock { $0.bytesRead } }

    /// Runs `body` and returns the calls made meanwhile.
    package func calls<Failure: Error>(during body: () throws(Failure) -> Void) throws(Failure) -> [Call] {
        let before = calls.count
        try body()
        return Array(calls.dropFirst(before))
    }

    /// Changes how the server behaves from now on.
    package func configure(_ body: (inout Settings) -> Void) {
        state.withLock { body(&$0.settings) }
    }

    /// Says what runs before each call; `nil`: nothing.
    package func setHook(_ hook: Hook?) {
        state.withLock { $0.hook = hook }
    }

    package var capabilities: StoreCapabilities { state.withLock { $0.settings.capabilities } }

    // MARK: - RemoteStore

    package var spareStreams: Int { state.withLock { $0.settings.spareStreams } }

    package func list(
        _ directory: RemotePath, urgency: Urgency, cancellation: Cancellation
    ) throws(StoreError) -> [RemoteEntry] {
        // The answer is composed before the hook can make it wait on its way.
        let answer = state.withLock { state -> Result<[RemoteEntry], StoreError> in
            do throws(StoreError) {
                let node = try state.node(directory)
                guard node.kind == .directory else { throw StoreError(.notDirectory, "\(directory)") }
                return .success(node.children.map { RemoteEntry(name: $0.name, attributes: state.shown($0.node)) })
            } catch {
                return .failure(error)
            }
        }
        try enter(.list(directory), urgency: urgency, cancellation)
        return try answer.get()
    }

    package func look(
        at path: RemotePath, cancellation: Cancellation
    ) throws(StoreError) -> RemoteAttributes? {
        try enter(.look(path), cancellation)
        return state.withLock { state in (try? state.node(path)).map { state.shown($0) } }
    }

    package func openRead(
        _ path: RemotePath, from offset: Int64, expecting: RemoteAttributes, urgency: Urgency,
        cancellation: Cancellation
    ) throws(StoreError) -> any RemoteReadStream {
        try enter(.openRead(path, from: offset), urgency: urgency, cancellation)
        let content = try state.withLock { state throws(StoreError) in
            let node = try state.node(path)
            guard node.kind == .file else { throw StoreError(.isDirectory, "\(path)") }
            return node.content
        }
        return ReadStream(store: self, path: path, content: content, offset: offset)
    }

    package func size(of path: RemotePath, cancellation: Cancellation) throws(StoreError) -> Int64? {
        try enter(.size(path), cancellation)
        return try state.withLock { state throws(StoreError) in
            let node = try state.node(path)
            guard node.kind == .file else { throw StoreError(.isDirectory, "\(path)") }
            return state.settings.showsSizes ? node.content.size : nil
        }
    }

    package func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        try openWrite(path, mode, .none, whenWanted, cancellation)
    }

    func openWrite(
        _ path: RemotePath, _ mode: RemoteWriteMode, _ question: SizeQuestion, _ whenWanted: (@Sendable () -> Void)?,
        _ cancellation: Cancellation
    ) throws(StoreError) -> WriteStream {
        try enter(.openWrite(path, mode), cancellation)
        let before = try sizeBefore(path, question)
        try state.withLock { state throws(StoreError) in
            if mode == .append, !state.settings.capabilities.appends { throw StoreError(.unsupported, "APPE") }
            try state.openForWriting(path, truncating: mode == .replace)
        }
        let stream = WriteStream(store: self, path: path, mode: mode, sizeBefore: before)
        state.withLock { $0.writers[ObjectIdentifier(stream)] = whenWanted }
        return stream
    }

    package func keepsTail(scratch: RemotePath, cancellation: Cancellation) throws(StoreError) -> Bool {
        try enter(.probe, cancellation)
        return state.withLock { $0.settings.keepsTail }
    }

    /// Says to all writers who can be asked that others wait for their connections.
    package func wantConnections() {
        for writer in state.withLock({ Array($0.writers.values) }) { writer() }
    }

    package func makeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) {
        try enter(.makeDirectory(path), cancellation)
        try state.withLock { state throws(StoreError) in
            try state.add(path, Node(directory: state.settings.time))
        }
    }

    package func removeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) {
        try enter(.removeDirectory(path), cancellation)
        try state.withLock { state throws(StoreError) in
            let node = try state.node(path)
            guard node.kind == .directory else { throw StoreError(.notDirectory, "\(path)") }
            guard node.children.isEmpty else { throw StoreError(.notEmpty, "\(path)") }
            try state.remove(path)
        }
    }

    package func removeFile(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) {
        try enter(.removeFile(path), cancellation)
        try state.withLock { state throws(StoreError) in
            guard try state.node(path).kind != .directory else { throw StoreError(.isDirectory, "\(path)") }
            try state.remove(path)
        }
    }

    package func rename(
        _ path: RemotePath, to target: RemotePath, replacing: Bool, cancellation: Cancellation
    ) throws(StoreError) {
        try enter(.rename(path, to: target), cancellation)
        try state.withLock { state throws(StoreError) in
            let node = try state.node(path)
            if let old = try? state.node(target) {
                guard replacing || state.settings.renameReplaces, old.kind != .directory, node.kind != .directory else {
                    throw StoreError(.exists, "\(target)")
                }
                try state.remove(target)
            }
            try state.remove(path)
            try state.add(target, node)
        }
    }

    package func makeSymbolicLink(
        _ path: RemotePath, target: [UInt8], cancellation: Cancellation
    ) throws(StoreError) {
        try enter(.makeSymbolicLink(path, target: target), cancellation)
        try state.withLock { state throws(StoreError) in
            try state.add(path, Node(link: target, state.settings.time))
        }
    }

    package func setModificationTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(StoreError) {
        try enter(.setModificationTime(path, time), cancellation)
        try state.withLock { state throws(StoreError) in
            guard state.settings.capabilities.setsModificationTime else { throw StoreError(.unsupported, "MFMT") }
            // As on the wire: whole seconds.
            try state.change(path) { $0.modified = Timestamp(seconds: time.seconds) }
        }
    }

    package func space(cancellation: Cancellation) throws(StoreError) -> RemoteSpace? {
        try enter(.space, cancellation)
        return state.withLock { $0.settings.space }
    }

    package func setMode(_ path: RemotePath, to mode: UInt32, cancellation: Cancellation) throws(StoreError) {
        try enter(.setMode(path, mode), cancellation)
        try state.withLock { state throws(StoreError) in
            guard state.settings.capabilities.setsMode else { throw StoreError(.unsupported, "SITE CHMOD") }
            try state.change(path) { $0.mode = mode }
        }
    }

    /// Notes a call, and lets the hook have its say.
    func enter(_ call: Call, urgency: Urgency = .wanted, _ cancellation: Cancellation) throws(StoreError) {
        let hook = state.withLock { state in
            if case .read = call {} else { state.calls.append(call) }
            if case .ahead = urgency { state.callsAhead.append(call) }
            return state.hook
        }
        try hook?(call, cancellation)
        if cancellation.isCancelled { throw StoreError(.cancelled, "cancelled") }
    }
}
