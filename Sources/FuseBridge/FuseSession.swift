import CFuseBridge
package import FileSystem
package import Logging
import SystemPackage
import Threading
package import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A mount, from its making to its end.
///
///     let session = try FuseSession(configuration, serving: fileSystem, logger: logger)
///     try session.mount()
///     try session.run { /* the mount answers */ }   // returns when unmounted, or after exit()
///     session.unmount()
///
/// ## How it ends
/// - `umount` or `fusermount3 -u` from outside: ``run(onReady:)`` returns.
/// - ``exit()``, from any thread: reading stops, requests that only ask are cancelled, those that change something are let
///   finish (their own deadlines bound them), and ``run(onReady:)`` returns. The mount is still there, and hangs whoever
///   comes, until ``unmount()``.
///
/// Handles that are open when the mount ends get no `release`: the kernel drops that request. Whoever owns the file system
/// closes them.
///
/// The process must have no other session that is being made or mounted at the same time: standard error is redirected
/// meanwhile, because fusermount3 complains there.
package final class FuseSession: @unchecked Sendable {
    // `session` is immutable. The C half takes exit and notifications from any thread; mount, loop, unmount and destroy
    // come one after the other, which `phase` sees to.
    private let session: OpaquePointer
    private let bridge: Bridge
    private let context: Unmanaged<Bridge>
    private let configuration: FuseConfiguration
    private let phase = Monitor(Phase.made)

    private enum Phase {
        /// Next: mounted.
        case made
        /// Next: running, unmounted.
        case mounted
        /// Next: ended.
        case running
        /// Next: unmounted.
        case ended
        case unmounted
    }

    /// How long late answers are waited for when the session closes. Their requests have been cancelled, so that they only
    /// need to notice; whoever does not within this time answers into the void.
    private static let lateAnswers = Duration.seconds(5)

    /// Room for what libfuse and fusermount3 say about a failure: some lines, each with a path at most.
    private static let complaintCapacity = 16 << 10

    /// Makes a session that serves a file system. Nothing is mounted yet.
    ///
    /// - Throws: ``FuseError/unknownOption(_:)`` and ``FuseError/sessionFailed(_:)``.
    package init(
        _ configuration: FuseConfiguration, serving fileSystem: any FileSystemOperations, logger: Logger
    ) throws(FuseError) {
        let bridge = Bridge(serving: fileSystem, logger: logger)
        let context = Unmanaged.passRetained(bridge)
        let (session, complaint) = Self.makeSession(configuration, context)
        guard let session else {
            context.release()
            throw .makingSession(complaint: complaint)
        }
        self.session = session
        self.bridge = bridge
        self.context = context
        self.configuration = configuration
    }

    deinit {
        unmount()
        cfuse_session_destroy(session)
        context.release()
    }

    /// Mounts. From now on whoever uses the mount point waits for ``run(onReady:)``.
    ///
    /// Blocks as long as mount(2) and fusermount3 do. Call it once.
    ///
    /// - Throws: ``FuseError`` with the cause and the remedy; nothing is mounted then.
    package func mount() throws(FuseError) {
        let mountPoint = try MountPoint.checked(
            configuration.mountPoint, allowNonEmpty: configuration.allowNonEmpty)
        try MountPoint.checkDevice()
        let (code, complaint) = Self.withComplaint { complaint, capacity in
            mountPoint.withPlatformString { cfuse_session_mount(session, $0, complaint, capacity) }
        }
        guard code == 0 else { throw .mounting(on: configuration.mountPoint, complaint: complaint) }
        phase.withLock { $0 = .mounted }
    }

    /// Serves until the mount ends. Blocks; call it once, after ``mount()``.
    ///
    /// - Parameter onReady: runs on another thread once the mount answers.
    /// - Throws: ``FuseError/servingFailed(_:)``.
    package func run(onReady: @escaping @Sendable () -> Void = {}) throws(FuseError) {
        bridge.onReady.withLock { $0 = onReady }
        phase.withLock { $0 = .running }
        #if DEBUG
        Watchdog.watch(bridge.requests, bridge.logger)
        #endif
        let code = cfuse_session_loop(session)
        phase.withLockThenWake { $0 = .ended }
        guard code == 0 else { throw .servingFailed(Errno(rawValue: code)) }
    }

    /// Ends ``run(onReady:)``, also when that has not been called yet. Does not wait. Any thread, but not a signal handler.
    package func exit() {
        cfuse_session_exit(session)
    }

    /// Detaches the mount, if nobody has done so, and answers nothing from then on. Programs that still wait there get an
    /// error (ECONNABORTED, ENOTCONN).
    ///
    /// Ends ``run(onReady:)`` first if need be, and waits for it: so not to be called by a thread that serves. Then blocks
    /// some seconds at most, for the last answers. Calling it again does nothing.
    package func unmount() {
        if phase.withLock({ $0 == .running }) { exit() }
        let wasMounted = phase.wait(until: .never) { phase -> Bool? in
            guard phase != .running else { return nil }
            defer { phase = .unmounted }
            return phase == .mounted || phase == .ended
        }
        bridge.requests.close(until: .after(Self.lateAnswers))
        if wasMounted == true { cfuse_session_unmount(session) }
    }

    /// The requests that have not been answered.
    var openRequests: [OpenRequest] { bridge.requests.openRequests }

    // MARK: - Telling the kernel

    /// Makes the kernel forget what it knows of a name.
    ///
    /// Not from within an operation: the kernel may hold the lock of that directory while it waits for the answer.
    package func invalidateEntry(_ name: FileName, in parent: InodeNumber) {
        _ = bridge.requests.whileOpen {
            cfuse_notify_entry(session, parent.rawValue, name.bytes, name.bytes.count)
        }
    }

    /// Makes the kernel ask anew for a name before it uses what it knows of it.
    ///
    /// Unlike ``invalidateEntry(_:in:)`` it leaves alone who is in that directory, and what is mounted there. A kernel
    /// before Linux 6.2 has no such call. There the names of files are invalidated; those of directories stay for the
    /// rest of their time, with attributes that are asked for anew (``invalidateInode(_:)``).
    ///
    /// Not from within an operation, like that.
    package func expireEntry(_ name: FileName, in parent: InodeNumber, isDirectory: Bool) {
        let code = bridge.requests.whileOpen {
            cfuse_notify_expire(session, parent.rawValue, name.bytes, name.bytes.count)
        }
        if code == -ENOSYS, !isDirectory { invalidateEntry(name, in: parent) }
    }

    /// Makes the kernel forget the attributes and the content of an inode.
    ///
    /// Not from within an operation on that inode: the kernel waits for pages whose read is not answered.
    package func invalidateInode(_ inode: InodeNumber) {
        _ = bridge.requests.whileOpen { cfuse_notify_inode(session, inode.rawValue) }
    }

    // MARK: - Making

    private static func makeSession(
        _ configuration: FuseConfiguration, _ context: Unmanaged<Bridge>
    ) -> (OpaquePointer?, complaint: String) {
        withComplaint { complaint, capacity in
            withCStrings([configuration.source, configuration.subtype] + configuration.kernelOptions) { strings in
                var table = callbackTable()
                var config = cfuse_config(
                    source: strings[0], subtype: strings[1], read_only: configuration.readOnly,
                    allow_other: configuration.allowOther, allow_root: configuration.allowRoot,
                    default_permissions: configuration.defaultPermissions, debug: configuration.debug,
                    extended_attributes: configuration.extendedAttributes,
                    options: strings.baseAddress.map { $0 + 2 }, option_count: configuration.kernelOptions.count,
                    maximum_threads: configuration.maximumThreads)
                return cfuse_session_new(&config, &table, context.toOpaque(), complaint, capacity)
            }
        }
    }

    /// Runs `body` with a buffer for what libfuse has to say, and returns that, too.
    private static func withComplaint<Result>(
        _ body: (UnsafeMutablePointer<CChar>, Int) -> Result
    ) -> (Result, complaint: String) {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: complaintCapacity) { buffer in
            buffer.initialize(repeating: 0)
            guard let start = buffer.baseAddress else { preconditionFailure("a buffer of a fixed size has an address") }
            let result = body(start, buffer.count)
            return (result, String(cString: start))
        }
    }
}

/// Runs `body` with the strings as C strings, in their order.
private func withCStrings<Result>(
    _ strings: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>>) -> Result
) -> Result {
    var pointers: [UnsafePointer<CChar>] = []
    func next(_ rest: ArraySlice<String>) -> Result {
        guard let first = rest.first else { return pointers.withUnsafeBufferPointer(body) }
        return first.withCString { pointer in
            pointers.append(pointer)
            return next(rest.dropFirst())
        }
    }
    return next(strings[...])
}
