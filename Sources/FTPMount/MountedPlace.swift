import SystemPackage
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A place in a mount, as a person has written it down, and whom to ask about it.
struct MountedPlace {
    /// Where the mount is.
    let mountPoint: String
    /// The names under which its process may have made its socket.
    let socketNames: [String]
    /// Who has mounted it.
    let owner: uid_t
    /// Whether it is still mounted; its process may be there all the same.
    let isMounted: Bool
    /// Whether the kernel lets nothing be changed there, whatever the process was told: `remount,ro` is between the two of them.
    let isReadOnly: Bool
    /// The place in it.
    let inside: RemotePath

    /// Finds the mount that a path belongs to. Going by the text of the path, no mount is touched: one whose server is
    /// gone could take long. Only if that leads nowhere are symbolic links looked up.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``) when there is none.
    init(containing path: String) throws(MountFailure) {
        let table = MountTable.current()
        let absolute = MountPoint.absolute(path)
        if let place = Self(absolute, in: table) ?? Self.resolved(path).flatMap({ Self($0, in: table) }) {
            self = place
            return
        }
        // It may have been unmounted, and its process still be sending.
        guard ControlClient(names: [absolute], owner: geteuid()).obstacle == nil else {
            throw MountFailure(.usage, "\(path) is not in an ftpfs mount", remedy: "see ftpfs list")
        }
        mountPoint = absolute
        socketNames = [absolute]
        owner = geteuid()
        isMounted = false
        isReadOnly = false
        inside = .root
    }

    /// A mount as the table has it.
    init(_ entry: MountTable.Entry, in table: MountTable, inside: RemotePath = .root) {
        mountPoint = entry.mountPoint
        socketNames = table.mountPoints(of: entry)
        owner = entry.owner ?? 0
        isMounted = true
        isReadOnly = entry.isReadOnly
        self.inside = inside
    }

    private init?(_ absolute: String, in table: MountTable) {
        guard let entry = table.mount(containing: absolute), entry.type == MountTable.ownType else { return nil }
        // Of a bind mount of a directory, the place begins there.
        let rest = entry.root + absolute.dropFirst(entry.mountPoint.count)
        guard let inside = RemotePath(relative: String(rest)) else { return nil }
        self.init(entry, in: table, inside: inside)
    }

    private static func resolved(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    /// The same, of the mount as a whole.
    ///
    /// - Throws: ``MountFailure`` (``ExitCode/usage``) also when the path leads deeper into a mount.
    static func mount(at path: String) throws(MountFailure) -> MountedPlace {
        let place = try MountedPlace(containing: path)
        guard place.inside.isRoot else {
            throw MountFailure(
                .usage, "\(path) is inside the mount on \(place.mountPoint)", remedy: "give \(place.mountPoint)")
        }
        return place
    }

    /// Who answers for it.
    var client: ControlClient { ControlClient(names: socketNames, owner: owner) }

    /// What its process says, with what only the kernel knows.
    ///
    /// - Parameter patience: how long it may take to answer.
    func status(within patience: Duration = ControlClient.patience) throws(ControlClient.Failure) -> MountStatus {
        var status = try client.status(within: patience)
        status.isReadOnly = status.isReadOnly || isReadOnly
        return status
    }

    /// How long the kernel may take to say whether there is a process behind a mount.
    private static let patience = Duration.seconds(1)

    /// Whether its process is gone: the kernel says so at once. A process that is there answers without asking its server;
    /// one that is stopped does not, and is not waited for.
    var isDead: Bool {
        guard isMounted else { return false }
        let answer = Monitor<Bool?>(nil)
        let path = mountPoint
        // A thread that hangs there ends with this process: the kernel lets go of who is killed.
        try? Thread.detached(named: "ftpfs-look") {
            var space = statvfs()
            let isGone = statvfs(path, &space) != 0 && errno == ENOTCONN
            answer.withLockThenWake { $0 = isGone }
        }
        return answer.wait(until: .after(Self.patience)) { $0 } ?? false
    }
}
