import FTPClient
import FileSystem
import FuseBridge
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Puts the status of a mount together from what its parts say. Asks no server, and waits for nobody.
struct StatusSource: Sendable {
    let plan: MountPlan
    let client: Client
    let fileSystem: FileSystem
    let spoolDirectory: String
    let faults: FaultRing
    let mountedAt: Instant
    let session: FuseSession
    let isEnding: @Sendable () -> Bool

    /// The status now.
    func status() -> MountStatus {
        let server = client.report
        let connections = client.connections()
        let files = fileSystem.unsentFiles
        let count = fileSystem.statistics
        let pending = Dictionary(
            fileSystem.pendingUploads.compactMap { upload in upload.path.map { ($0, upload) } },
            uniquingKeysWith: { first, _ in first })
        let uploads = files.prefix(MountStatus.longestUploadList).map {
            Self.upload($0, connections, pending[$0.path])
        }
        let requests = session.waitingRequests(atMost: MountStatus.longestRequestList)
        let left = fileSystem.leftOvers(olderThan: CleanCommand.age)
        let leftOvers = left.prefix(MountStatus.longestUploadList)
        return MountStatus(
            mountPoint: printable(plan.mountPoint.utf8), source: plan.address.sourceName,
            state: isEnding() ? .ending : .serving, process: Int64(getpid()), version: Version.current,
            uptime: Instant.now.since(mountedAt).components.seconds, isReadOnly: plan.options.isReadOnly,
            options: OptionList.settings(plan.optionTexts),
            server: MountStatus.Server(
                greeting: server.greeting, features: server.features, listingCommand: server.listingCommand,
                dataCommand: server.dataCommand, encryption: server.tls.map { "\($0.version), \($0.cipher)" },
                pin: server.tls.map { "\($0.pin)" }),
            connections: connections.map { Self.connection($0, uploads: files) },
            connectionLimit: Int64(server.connectionLimit), waiting: Int64(server.waiting),
            received: server.received, sent: server.sent, uploads: uploads, uploadCount: Int64(files.count),
            unsentBytes: files.reduce(0) { $0 + $1.unsent }, outage: client.outage.map(MountStatus.Outage.init),
            requestCount: Int64(requests.all), requests: requests.oldest.map(MountStatus.Request.init),
            cache: MountStatus.Cache(
                contentBytes: Int64(count.cachedBytes), contentLimit: Int64(fileSystem.cacheCapacity),
                names: Int64(count.directoryEntries), inodes: Int64(count.inodes), handles: Int64(count.handles),
                streams: Int64(count.streams), spoolBytes: count.spoolBytes, spoolLimit: plan.options.spoolSize,
                spoolDirectory: printable(spoolDirectory.utf8)),
            faults: faults.faults, faultTotal: faults.total, leftOvers: leftOvers.map(MountStatus.LeftBehind.init),
            leftOverCount: Int64(left.count), leftOverBytes: left.reduce(0) { $0 &+ max(0, $1.size ?? 0) },
            kept: MountStatus.Kept(fileSystem.keptFiles))
    }

    private static func connection(_ report: ConnectionReport, uploads: [UnsentReport]) -> MountStatus.Connection {
        let isTransfer = report.path != nil
        let upload = uploads.first { matches($0, report) }
        let age = isTransfer ? report.commandAge : report.age
        return MountStatus.Connection(
            id: Int64(report.id), state: report.state.rawValue, age: age?.components.seconds,
            isAhead: report.isAhead, command: report.command, path: report.path.map { printable($0) },
            bytes: report.bytes, total: report.total ?? upload.map { max(0, $0.size - $0.start) },
            rate: isTransfer ? age.map { rate(report.bytes, $0) } : nil,
            peer: report.peer, encryption: report.encryption.map { "\($0.version), \($0.cipher)" })
    }

    /// Bytes per second.
    private static func rate(_ bytes: Int64, _ span: Duration) -> Int64 {
        let milliseconds = max(1, span.components.seconds * 1000 + span.components.attoseconds / 1_000_000_000_000_000)
        return Int64(Double(bytes) * 1000 / Double(milliseconds))
    }

    private static func upload(
        _ file: UnsentReport, _ connections: [ConnectionReport], _ pending: PendingUpload?
    ) -> MountStatus.Upload {
        let failure = file.failure ?? pending?.lastError
        var upload = MountStatus.Upload(
            path: file.path.description, state: file.isSending ? .sending : failure == nil ? .waiting : .failed,
            total: file.unsent, reason: failure.map { printable("\($0)".utf8) })
        if let pending {
            upload.attempts = Int64(pending.attempts)
            upload.retryIn = file.isSending ? nil : max(0, pending.nextAttempt.since(.now).components.seconds)
        }
        guard file.isSending else { return upload }
        let moved = connections.first { matches(file, $0) }?.bytes ?? 0
        if let streamed = file.streamed {
            // What a transfer that was gone on with had sent before counts too.
            upload.total = file.size
            upload.done = max(streamed, file.start + moved)
        } else {
            upload.total = file.start + file.unsent
            upload.done = file.start + moved
        }
        upload.done = min(upload.done, upload.total)
        return upload
    }

    /// Whether a file is sent over a connection: its path on the server ends like that in the mount.
    private static func matches(_ file: UnsentReport, _ connection: ConnectionReport) -> Bool {
        guard connection.state == .writing, let path = connection.path else { return false }
        let ending = [UInt8(ascii: "/")] + file.target.joined
        return path.suffix(ending.count) == ending[...] || path == file.target.joined
    }
}
