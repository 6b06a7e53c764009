import FTPClient
import FileSystem
import Logging
import SystemPackage
import Threading
import Vocabulary

/// The steps of ``MountingProcess/run(_:)`` that differ with `writeback`.
extension MountingProcess {
    /// How often the log says what is left while the end of a mount waits: often enough that a person sees it go on.
    private static let progressInterval = Duration.seconds(5)

    /// Whether files are sent after their close.
    private var writesBack: Bool { plan.options.writesBack && !plan.options.isReadOnly }

    /// The source, for telling it from others: whatever leads to the same files on the server.
    private var source: String {
        let user = percentEncoded(credentials.user)
        let host = plan.address.host.lowercased()
        return "ftp://\(user)@\(host):\(plan.port)/\(plan.address.directory.urlPath)"
    }

    /// The directory for what is written. A mount that writes nothing does without it where it cannot be made: on a machine
    /// that is read-only itself.
    func makeSpool(_ deadline: Deadline) throws(MountFailure) -> SpoolDirectory {
        let chosen = plan.options.spoolDirectory
        if plan.options.isReadOnly { return (try? SpoolDirectory(chosen: chosen)) ?? .unneeded }
        return writesBack
            ? try SpoolDirectory(chosen: chosen, of: source, until: deadline) : try SpoolDirectory(chosen: chosen)
    }

    /// The file system over a client.
    func makeFileSystem(
        _ client: Client, _ spool: SpoolDirectory, _ logger: Logger
    ) throws(MountFailure) -> FileSystem {
        for directory in spool.abandoned {
            logger.warning("\(directory) holds files that a mount had not sent when it was killed")
        }
        let store = FTPStore(client, links: plan.options.symbolicLinks)
        let configuration = fileSystemConfiguration(spool)
        if !writesBack, let place = SpoolDirectory.waiting(chosen: plan.options.spoolDirectory, of: source) {
            logger.warning("\(place) holds files that wait to be sent; a mount with writeback sends them")
        }
        guard writesBack else { return FileSystem(store: store, configuration: configuration, logger: logger) }
        var settings = WriteBackSettings()
        settings.delay = plan.options.writeBackDelay
        // One connection stays for those who wait; with a single one, everybody takes turns.
        settings.atOnce = max(1, plan.options.connections - 1)
        do throws(StoreError) {
            return try FileSystem(store: store, configuration: configuration, writeBack: settings, logger: logger)
        } catch {
            throw MountFailure(.system, "what waits to be sent cannot be read: \(error.reason)")
        }
    }

    /// Sends what waits, with its progress in the log.
    func drainUploads(_ fileSystem: FileSystem, _ logger: Logger, _ service: ServiceNotification) {
        let deadline = plan.options.drainTimeout.map { Deadline.after($0) } ?? .never
        var next = Instant.now
        let left = fileSystem.drainUploads(until: deadline) { count in
            guard Instant.now >= next else { return }
            next = Instant.now.advanced(by: Self.progressInterval)
            let text = "\(count) files are still being sent to \(plan.place)"
            say(text, logger)
            // As long as files go through, the service manager shall not lose its patience.
            service.extend(by: Self.progressInterval * 6, text)
        }
        guard left > 0 else { return }
        say("\(left) files are left for the next mount of \(plan.address.sourceName) with writeback", logger)
    }

    /// A line in the log, and on the terminal of who waits in front of it.
    private func say(_ text: String, _ logger: Logger) {
        logger.notice("\(text)")
        guard isForeground, plan.options.logFile != nil else { return }
        _ = try? FileDescriptor.standardError.writeAll("\(plan.program): \(text)\n".utf8)
    }
}
