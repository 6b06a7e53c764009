import CLinux
package import Logging

/// Sends each record to syslog(3), where a mount without a terminal logs: facility `daemon`, identifier `ftpfs[PID]`.
package struct SyslogLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level

    /// A handler; the first one opens the log.
    package init(level: Logger.Level) {
        logLevel = level
        _ = Self.opened
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        clinux_syslog(Self.priority(of: event.level), LogLine.text(of: event, with: metadata))
    }

    /// openlog(3) once per process; it keeps the pointer, so the text is a literal of the C side.
    private static let opened: Void = clinux_openlog_ftpfs()

    /// The severities of RFC 5424 §6.2.1, as numbers.
    static func priority(of level: Logger.Level) -> Int32 {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}
