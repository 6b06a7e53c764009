import CLinux
import FTPClient
import FileSystem
import FuseBridge
import Logging
import SystemPackage
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The steps of ``MountingProcess/run(_:)``.
extension MountingProcess {
    /// Connects, logs in and enters the directory.
    func connect(_ logger: Logger, _ ending: Ending) throws(MountFailure) -> Client {
        let client = Client(configuration: try ClientConfiguration(plan, credentials, logger))
        do throws(FTPError) {
            try client.connect(cancellation: ending.cancellation)
            return client
        } catch {
            client.close()
            throw MountFailure(connecting: error)
        }
    }

    /// What the options say about how files are shown and kept.
    func fileSystemConfiguration(_ spool: SpoolDirectory) -> FileSystemConfiguration {
        let options = plan.options
        var configuration = FileSystemConfiguration(spoolDirectory: spool.path)
        configuration.dirTTL = options.directoryTimeToLive
        configuration.uid = options.userID ?? geteuid()
        configuration.gid = options.groupID ?? getegid()
        configuration.fileMode = options.fileMode
        configuration.dirMode = options.directoryMode
        configuration.umask = options.umask
        configuration.readOnly = options.isReadOnly
        configuration.defaultPermissions = options.checksPermissions
        configuration.cacheSize = Int(clamping: options.cacheSize)
        configuration.spoolSize = options.spoolSize ?? .max
        if let size = options.reportedSize { configuration.reportedSize = size }
        configuration.replacesInPlace = options.replacesInPlace
        configuration.prefetch = options.prefetches
        let endurance = options.endurance
        configuration.retries = {
            var perseverance = Perseverance(endurance)
            return { perseverance.nextPause() }
        }
        let place = plan.address.sourceName
        let base = place.hasSuffix("/") ? place : place + "/"
        configuration.place = { path in
            Array((base + path.components.map { percentEncoded($0.bytes) }.joined(separator: "/")).utf8)
        }
        return configuration
    }

    /// Mounts; nothing is answered yet.
    func mount(_ fileSystem: FileSystem, _ logger: Logger) throws(MountFailure) -> FuseSession {
        let options = plan.options
        var configuration = FuseConfiguration(
            mountPoint: FilePath(plan.mountPoint), source: plan.address.sourceName)
        configuration.readOnly = options.isReadOnly
        configuration.allowOther = options.allowsOthers
        configuration.allowRoot = options.allowsRoot
        configuration.defaultPermissions = options.checksPermissions
        configuration.allowNonEmpty = options.acceptsNonEmpty
        // libfuse's default as well; but a later option would undo it.
        configuration.kernelOptions =
            options.kernelOptions.filter { !Remounting.lateFlags.contains($0) } + ["nosuid", "nodev"]
        configuration.extendedAttributes = options.hasExtendedAttributes
        do throws(FuseError) {
            let session = try FuseSession(configuration, serving: fileSystem, logger: logger)
            try session.mount()
            return session
        } catch {
            throw MountFailure(.mountFailed, "\(error)")
        }
    }

    /// Starts the thread that serves, and looks at the mount as soon as the kernel is ready.
    func serve(_ session: FuseSession, _ logger: Logger, _ ending: Ending) throws(MountFailure) -> Thread {
        do throws(Thread.NotStarted) {
            return try Thread(named: "ftpfs-serve") {
                do throws(FuseError) {
                    try session.run { ending.lookAtTheMount() }
                } catch {
                    logger.error("\(error)")
                }
                ending.handle(.sessionEnded)
            }
        } catch {
            throw MountFailure(.system, "no thread can be started: \(Errno(rawValue: error.code))")
        }
    }

    /// Leaves the caller's session, directory and terminal, now that its mount answers: neither closing the terminal nor
    /// unmounting the directory it was called in concerns this process any more.
    func detachFromCaller() {
        _ = clinux_set_parent_death_signal(0)
        setsid()
        chdir("/")
        guard let null = try? FileDescriptor.open("/dev/null", .readWrite, options: [.closeOnExec]) else { return }
        for target in [FileDescriptor.standardInput, .standardOutput, .standardError] {
            _ = try? null.duplicate(as: target)
        }
        try? null.close()
    }

    /// Sends what is unsent, within ``drainLimit``; what `writeback` lets wait has a limit of its own.
    ///
    /// - Returns: what could not be sent.
    func drain(
        _ fileSystem: FileSystem, _ logger: Logger, _ service: ServiceNotification
    ) -> [ControlMessage.Unsent] {
        drainUploads(fileSystem, logger, service)
        return fileSystem.shutdown(deadline: .after(Self.drainLimit)).map { file in
            let kept = file.keptAt.map { "; its content is in \($0)" } ?? ""
            logger.error("\(file.path) was not sent: \(file.reason)\(kept)")
            return ControlMessage.Unsent(
                path: file.path.description, reason: printable("\(file.reason)".utf8), kept: file.keptAt?.string)
        }
    }

    /// Removes the spool directory, or says what is left in it.
    func leave(_ spool: SpoolDirectory, _ logger: Logger) {
        guard !spool.remove() else { return }
        logger.error("what could not be sent to \(plan.place) is left in \(spool.path)")
    }
}

extension ClientConfiguration {
    /// What the URL and the options of a mount say about the connections to its server.
    ///
    /// - Throws: ``MountFailure`` when a file that an option names cannot be used.
    init(_ plan: MountPlan, _ credentials: Credentials, _ logger: Logger) throws(MountFailure) {
        let directory = plan.address.directory
        self.init(
            host: plan.address.host, port: plan.port, user: credentials.user, password: credentials.password,
            base: directory.isAbsolute ? .absolute(directory.components) : .relativeToLogin(directory.components),
            connections: plan.options.connections, logger: logger)
        charset = plan.options.charset
        telnetEscape = plan.options.telnetEscape
        account = plan.options.account ?? credentials.account
        tls = try TLSSettings(plan.options.tls, mode: plan.tls)
        network = plan.options.network
        network.proxy = plan.proxy
        timeZone = plan.options.timeZone
        pipelining = plan.options.pipelining
        endurance = plan.options.endurance
        timeouts = .init(establish: plan.options.connectTimeout, eachWait: plan.options.timeout)
    }
}

extension ClientConfiguration.Timeouts {
    /// The limits that the options of a mount set; what they do not set keeps its default.
    init(establish: Duration, eachWait: Duration?) {
        self.init()
        self.establish = establish
        resolve = min(resolve, establish)
        connect = min(connect, establish)
        guard let eachWait else { return }
        reply = eachWait
        dataIdle = eachWait
        finalReply = eachWait
        dataConnect = min(dataConnect, eachWait)
        firstDataConnect = min(firstDataConnect, eachWait)
    }
}

extension MountFailure {
    /// Why no connection came about.
    init(connecting error: FTPError) {
        let code: ExitCode =
            switch error {
            case .cancelled: .interrupted
            case .localFailure: .system
            case .tlsSettings: .usage
            case .refused, .loginRefused, .tlsRefused, .tlsFailed, .certificateRejected, .tooManyConnections,
                .baseDirectoryRefused, .connectionLost, .timedOut, .unreachable, .proxyFailed, .unknownHost, .notFTP,
                .protocolViolation, .invalidArgument, .unsupported,
                .changedRemotely, .closed:
                .mountFailed
            }
        self.init(code, code == .interrupted ? "interrupted" : "\(error)\(error.adviceOnFirstContact)")
    }
}
