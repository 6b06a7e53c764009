import CFuseBridge
import FileSystem
import Logging
import Threading

/// What the callbacks find behind their context pointer: the file system, the log, and the requests under way.
final class Bridge: Sendable {
    let fileSystem: any FileSystemOperations
    let logger: Logger
    let requests = RequestTable()
    /// Run once when the mount answers.
    let onReady = Monitor<(@Sendable () -> Void)?>(nil)

    init(serving fileSystem: any FileSystemOperations, logger: Logger) {
        self.fileSystem = fileSystem
        self.logger = logger
    }

    /// The bridge behind a callback's context.
    static func at(_ context: UnsafeMutableRawPointer) -> Bridge {
        Unmanaged<Bridge>.fromOpaque(context).takeUnretainedValue()
    }

    /// The mount answers from now on.
    func ready() {
        let action = onReady.withLock { action in
            defer { action = nil }
            return action
        }
        action?()
    }

    /// One line of libfuse's, with syslog's level.
    func log(level: Int32, _ message: String) {
        let levels: [Logger.Level] = [.critical, .critical, .critical, .error, .warning, .notice, .info, .debug]
        let index = min(max(Int(level), 0), levels.count - 1)
        logger.log(level: levels[index], "libfuse: \(message)")
    }
}
