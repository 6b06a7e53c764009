internal import CLinux
package import SystemPackage
package import Threading

/// A small but real FTP server: for the zero-configuration demo, and for tests, which tell it what to do wrong.
///
/// ```swift
/// let tree = MemoryTree()
/// tree.add("hello.txt", text: "hello")
/// let server = try EmbeddedFTPServer(.init(
///     storage: .memory(tree), dialect: .proftpd,
///     faults: FaultPlan([.nth(2, "RETR", .cutData(afterBytes: 65_536))])))
/// try server.start()
/// defer { server.stop() }
/// // … a client talks to 127.0.0.1, port server.port …
/// #expect(server.transcript.count(of: "RETR") == 2)
/// ```
///
/// ## How it works
/// One thread accepts, and each control connection has one thread, which also carries the connection's transfers: all
/// of its sockets are non-blocking and it waits for them, for further commands and for the server's own wishes in one
/// `poll(2)`. So ABOR is heard during a transfer, a stop is never kept waiting by a client, and there is no lock
/// between a session and its transfer.
///
/// It does RFC 959, 2389, 2428, 3659 and 4217 (``TLSPolicy``), without conversion of ASCII files (vsftpd's default, too).
/// What products differ in is in ``Dialect``. Any thread may call everything here.
package final class EmbeddedFTPServer: Sendable {
    /// Why a server cannot serve.
    package enum StartFailure: Error, Hashable, Sendable {
        /// The address is not one in figures.
        case badAddress(String)
        /// The directory cannot be opened.
        case cannotOpen(FilePath, Errno)
        /// The port is taken, or is not ours to take.
        case cannotListen(Errno)
        /// No descriptor or no thread is left.
        case noResources(Errno)
        /// The certificate cannot be used, or OpenSSL refuses something else.
        case noSecurity(TLSFailure)
    }

    private let core: ServerCore

    /// Opens what is served and listens, so that clients can connect; they are answered from ``start()`` on.
    ///
    /// - Throws: ``StartFailure``.
    package init(_ configuration: Configuration) throws(StartFailure) {
        core = try ServerCore(configuration)
    }

    deinit { core.stop() }

    /// Begins to answer. A second call does nothing, also after ``stop()``.
    ///
    /// - Throws: ``StartFailure/noResources(_:)``.
    package func start() throws(StartFailure) { try core.start() }

    /// Closes the port and all connections, and waits for all threads to end; that takes as long as the longest disk
    /// access under way. Later calls do nothing but wait for the first one.
    package func stop() { core.stop() }

    /// Serves a directory to anonymous users until `isDone` fires: the whole server in one call. Blocks.
    ///
    /// - Parameters:
    ///   - whenReady: called once with the port, when clients are answered.
    /// - Throws: ``StartFailure``; nothing was served then.
    package static func serve(
        _ configuration: Configuration, until isDone: Cancellation, whenReady: (UInt16) -> Void
    ) throws(StartFailure) {
        let server = try EmbeddedFTPServer(configuration)
        defer { server.stop() }
        try server.start()
        whenReady(server.port)
        let stopped = Monitor(false)
        let handler = isDone.onCancel { stopped.withLockThenWake { $0 = true } }
        defer { isDone.removeHandler(handler) }
        // Bounded by the caller, who cancels.
        _ = stopped.wait(until: .never) { $0 ? true : nil }
    }

    /// The port that it listens at.
    package var port: UInt16 { core.port }

    /// What was said so far.
    package var transcript: Transcript { core.transcript.withLock { $0 } }

    /// Waits until the transcript is such that `isSo`, which is asked again after each change.
    ///
    /// - Returns: whether it became so before the deadline.
    package func wait(until deadline: Deadline, for isSo: (Transcript) -> Bool) -> Bool {
        core.transcript.wait(until: deadline) { isSo($0) ? true : nil } ?? false
    }

    /// How many control connections are open.
    package var openConnections: Int { core.openConnections }

    /// Puts another fault plan into force, with all its counts at zero.
    package func setFaults(_ plan: FaultPlan) { core.setFaults(plan) }

    /// Closes all connections at once, as if the server had been killed and started again: no 421, transfers end in the
    /// middle. When it returns, they are closed; new ones are served.
    package func dropAllConnections() { core.dropAllConnections() }

    /// Falls silent: connections are accepted and commands read (they show in the transcript), but nothing is answered
    /// and transfers stand still.
    package func pauseAnswering() { core.setPaused(true) }

    /// Ends the silence: what was read meanwhile is done and answered.
    package func resumeAnswering() { core.setPaused(false) }
}
