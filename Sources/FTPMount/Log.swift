import Logging
import SystemPackage

/// Where the records of a mount go.
enum Log {
    /// The logger of a mount: `log_file=` if given, else standard error in the foreground and syslog in the background, which
    /// systemd's journal collects both. A problem that comes again and again is not written each time.
    ///
    /// - Parameter faults: also gets what goes wrong.
    /// - Throws: ``MountFailure`` (``ExitCode/system``) when the file cannot be opened.
    static func make(
        _ plan: MountPlan, isForeground: Bool, recording faults: FaultRing
    ) throws(MountFailure) -> Logger {
        let level: Logger.Level = plan.isDebug ? .debug : plan.options.logLevel ?? .info
        let handler: any LogHandler
        if let path = plan.options.logFile {
            handler = LineLogHandler(to: try open(path), level: level)
        } else if isForeground {
            handler = LineLogHandler(to: .standardError, level: level)
        } else {
            handler = SyslogLogHandler(level: level)
        }
        return Logger(label: "ftpfs") { _ in FaultLogHandler(LimitedLogHandler(handler), faults) }
    }

    /// Names of files and hosts are in it: only the owner may read it.
    private static func open(_ path: String) throws(MountFailure) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path, .writeOnly, options: [.create, .append, .closeOnExec], permissions: .ownerReadWrite)
        } catch {
            throw MountFailure(.system, "log file \(path) cannot be written: \(error)")
        }
    }
}
