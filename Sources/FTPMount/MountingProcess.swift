import CLinux
import FTPClient
import FileSystem
import FuseBridge
import Logging
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The process that mounts and serves: from the connection to the end, read from top to bottom.
///
/// Each step that succeeded is undone by a `defer` behind it, in reverse order, on every way out: the mount goes first,
/// so that nobody waits at it; then what is unsent is sent, and whoever waits at the control socket hears how that went;
/// then the connections are closed; then the spool directory is removed, if nothing is left in it.
struct MountingProcess {
    let plan: MountPlan
    let credentials: Credentials
    /// Whether it is the process that the user started, and keeps the terminal.
    let isForeground: Bool

    /// How long what is unsent may take when the mount ends. systemd kills a service 90 s after it asked it to stop;
    /// before that there must be time to write to the log what is left in the spool.
    static let drainLimit = Duration.seconds(75)

    /// Among how many arenas malloc divides the threads: eight for each core otherwise, and what a hundred threads free in one is
    /// of no use to the others. With four nobody was seen to wait for one: each thread has a cache of its own before them.
    private static let arenas: Int32 = 4

    /// Lives. Returns when the mount has ended.
    ///
    /// - Parameter report: takes the one word when the mount answers; false when nobody is there to hear it, which
    ///   ends the mount.
    /// - Throws: ``MountFailure`` when the mount has never answered; nothing is mounted then.
    func run(_ report: (StatusReport.Outcome) -> Bool) throws(MountFailure) {
        clinux_limit_arenas(Self.arenas)
        Signals.block(takingRequests: true)
        let service = ServiceNotification.takeFromEnvironment()
        Hardening.apply()
        // Whoever waits for the mount may be killed meanwhile; there shall be no mount then that nobody knows of.
        if !isForeground { _ = clinux_set_parent_death_signal(SIGTERM) }
        let faults = FaultRing()
        let logger = try Log.make(plan, isForeground: isForeground, recording: faults)
        let privileges = try Privileges(servingAs: plan.options.servingUser)
        let ending = Ending(mountPoint: plan.mountPoint)
        try ending.watchSignals()
        let deadline = Deadline.after(plan.options.connectTimeout)

        let spool = try makeSpool(deadline)
        defer { leave(spool, logger) }

        let client = try connect(logger, ending)
        defer { client.close() }

        let fileSystem = try makeFileSystem(client, spool, logger)
        let control = ControlServer(mountPoint: plan.mountPoint, logger: logger)
        defer { control.close() }
        defer { control.finish(drain(fileSystem, logger, service)) }
        fileSystem.listRootAhead()

        let session = try privileges.asRootForTheLastTime { () throws(MountFailure) in try mount(fileSystem, logger) }
        // A change of users makes the kernel forget it.
        if !isForeground { _ = clinux_set_parent_death_signal(SIGTERM) }
        defer { session.unmount() }
        let serving = try serve(session, logger, ending)
        defer {
            session.exit()
            serving.join()
        }
        try ending.waitUntilItAnswers(deadline)
        try Remounting.addFlags(of: plan)
        let source = StatusSource(
            plan: plan, client: client, fileSystem: fileSystem, spoolDirectory: spool.path.string, faults: faults,
            mountedAt: .now, session: session, isEnding: { ending.hasBegun })
        listen(control, source, session, ending, logger)
        defer { ending.onRequest { _ in } }

        if !isForeground { detachFromCaller() }
        logger.info("\(plan.address.sourceName) is mounted on \(plan.mountPoint)")
        guard report(.ready) else { return }
        service.ready("\(plan.address.sourceName) is mounted on \(plan.mountPoint)")
        ending.waitForTheEnd()
        // Nobody shall wait for a server that is gone; what is unsent has a limit of its own.
        client.hurry()
        logger.info("\(plan.address.sourceName) on \(plan.mountPoint) ends: \(ending.reason)")
        service.stopping("ends: \(ending.reason)")
    }
}
