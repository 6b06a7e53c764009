package import Logging
package import SystemPackage
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Writes each record as one line to a descriptor: standard error in the foreground, or the file of `log_file=`.
///
/// One `write(2)` per record, so that lines of several threads do not mix (a file is opened with O_APPEND).
package struct LineLogHandler: LogHandler {
    package var metadata: Logger.Metadata = [:]
    package var logLevel: Logger.Level
    private let descriptor: FileDescriptor

    /// A handler that writes to a descriptor, which stays open as long as there are loggers.
    package init(to descriptor: FileDescriptor, level: Logger.Level) {
        self.descriptor = descriptor
        logLevel = level
    }

    package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    package func log(event: LogEvent) {
        let line = "\(Self.time()) \(event.level): \(LogLine.text(of: event, with: metadata))\n"
        // A log that cannot be written (disk full, terminal gone) must not stop the file system.
        _ = try? descriptor.writeAll(line.utf8)
    }

    /// The wall clock in the zone of this machine, to the millisecond: transcripts are read for their gaps.
    private static func time() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        var parts = tm()
        localtime_r(&now.tv_sec, &parts)
        func padded(_ number: Int, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = [Int(parts.tm_year) + 1900, Int(parts.tm_mon) + 1, Int(parts.tm_mday)].map { padded($0, 2) }
        let time = [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded(Int($0), 2) }
        let milliseconds = padded(Int(now.tv_nsec / 1_000_000), 3)
        return "\(date.joined(separator: "-")) \(time.joined(separator: ":")).\(milliseconds)"
    }
}

/// How a record reads in one line.
enum LogLine {
    /// The message, its error and its metadata, sorted by key; control characters made visible.
    static func text(of event: LogEvent, with metadata: Logger.Metadata) -> String {
        var text = printable(event.message.description.utf8)
        if let error = event.error { text += ": " + printable("\(error)".utf8) }
        let all = metadata.merging(event.metadata ?? [:]) { _, own in own }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) {
            text += " \(key)=" + printable(value.description.utf8)
        }
        return text
    }
}
