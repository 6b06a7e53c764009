import FileSystem
import FuseBridge
import Logging
import Threading
import Vocabulary

/// What a running mount does when it is asked: by the control socket, or by a signal.
extension MountingProcess {
    /// Lets the mount be asked.
    func listen(
        _ control: ControlServer, _ source: StatusSource, _ session: FuseSession, _ ending: Ending, _ logger: Logger
    ) {
        let fileSystem = source.fileSystem
        let refresh: @Sendable (RemotePath) -> Int = { path in Self.refresh(path, fileSystem, session) }
        control.start(
            ControlServer.Services(
                status: source.status, refresh: refresh,
                flush: { cancellation in
                    fileSystem.sendEverything(cancellation)?.map { path, reason in
                        ControlMessage.Unsent(
                            path: path.description, reason: printable("\(reason)".utf8), kept: nil)
                    }
                },
                clean: {
                    var cleaned = ControlMessage.Cleaned()
                    let all = fileSystem.removeLeftOvers(olderThan: CleanCommand.age, cancellation: Cancellation())
                    for (file, error) in all { cleaned.note(file, error) }
                    return cleaned
                }))
        ending.onRequest { request in
            // Telling the kernel can take a moment, in which a signal to end must not wait.
            try? Thread.detached(named: "ftpfs-request") {
                switch request {
                case .refresh:
                    let count = refresh(.root)
                    logger.info("SIGHUP: \(Quantity.count(Int64(count), "directory", plural: "directories")) forgotten")
                case .report:
                    let text = StatusText(style: .plain).text(of: source.status())
                    for line in text.split(separator: "\n") { logger.info("status: \(line)") }
                }
            }
        }
    }

    /// Makes the file system and the kernel look anew; how many directories.
    private static func refresh(
        _ path: RemotePath, _ fileSystem: FileSystem, _ session: FuseSession
    ) -> Int {
        let refreshed = fileSystem.refresh(path)
        for name in refreshed.names {
            session.expireEntry(name.name, in: name.parent, isDirectory: name.isDirectory)
        }
        for inode in refreshed.inodes { session.invalidateInode(inode) }
        return refreshed.directories
    }
}
