import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command `ftpfs unmount`.
///
/// 1. What is unsent is sent while the mount is still there: if something cannot be, it is not too late to do something
///    about that.
/// 2. The mount goes, unless somebody uses it.
/// 3. Its process is waited for, and says what has become of the rest.
///
/// With `--lazy` only the second, and also if somebody uses it: who does goes on until he is done, and the process sends
/// what is unsent behind that.
package enum UnmountCommand {
    /// Unmounts. Blocks as long as sending takes, with a progress bar on a terminal; Ctrl-C ends the waiting and nothing
    /// else.
    package static func run(_ path: String, isLazy: Bool, program: String) -> ExitCode {
        CommandOutput.run(program) { output throws(MountFailure) in
            let place = try MountedPlace.mount(at: path)
            let obstacle = place.client.obstacle
            if let obstacle, obstacle == .denied { throw obstacle.failure(at: place) }
            let isDead = obstacle == .unreachable && place.isDead
            guard obstacle == nil, !isLazy else {
                // Without a socket the process sends by itself, and nobody can say when it is done.
                try detach(place, lazily: isLazy || isDead)
                if isDead { removeLeavings(of: place) }
                return .success
            }
            return try unmount(place, output)
        }
    }

    /// Removes the socket of a process that is gone.
    private static func removeLeavings(of place: MountedPlace) {
        for directory in ControlDirectory.candidates(of: place.owner) where directory.isSafe(for: place.owner) {
            directory.locked { directory.removeAbandoned() }
        }
    }

    private static func unmount(_ place: MountedPlace, _ output: CommandOutput) throws(MountFailure) -> ExitCode {
        let client = place.client
        if place.isMounted {
            let unsent = try FlushCommand.flush(place)
            guard unsent.isEmpty else {
                output.complain(about: unsent)
                throw MountFailure(
                    .mountFailed, "\(place.mountPoint) stays mounted, because not everything could be sent",
                    remedy: "try again, or give --lazy: what cannot be sent is then left in the spool directory")
            }
        }
        let question: ControlClient.Question
        do throws(ControlClient.Failure) {
            question = try ControlClient.Question(.end, of: client)
        } catch {
            throw error.failure(at: place)
        }
        if place.isMounted { try detach(place, lazily: false) }
        var progress = UploadProgress()
        do throws(ControlClient.Failure) {
            let unsent = ControlMessage.unsent(in: try progress.wait(for: question, of: client)) ?? []
            output.complain(about: unsent)
            return unsent.isEmpty ? .success : .mountFailed
        } catch {
            guard error == .ended else { throw error.failure(at: place) }
            throw MountFailure(
                .mountFailed, "\(place.mountPoint): its process has ended without a word", remedy: "see its log")
        }
    }

    // MARK: - The kernel

    private static func detach(_ place: MountedPlace, lazily: Bool) throws(MountFailure) {
        if umount2(place.mountPoint, lazily ? Int32(MNT_DETACH) : 0) == 0 { return }
        let code = Errno(rawValue: errno)
        switch code {
        case .notPermitted:
            try fusermount(place, lazily: lazily)
        case .resourceBusy:
            throw busy(place)
        case .invalidArgument:
            // Somebody else was faster.
            return
        default:
            throw MountFailure(.mountFailed, "\(place.mountPoint) cannot be unmounted: \(code)")
        }
    }

    private static func fusermount(_ place: MountedPlace, lazily: Bool) throws(MountFailure) {
        let complaint = try Pipe()
        defer { try? complaint.readEnd.close() }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, complaint.writeEnd.rawValue, 2)
        var process = pid_t()
        let arguments = ["fusermount3", "-u"] + (lazily ? ["-z"] : []) + ["--", place.mountPoint]
        let code = withArgumentVector(arguments) { posix_spawnp(&process, "fusermount3", &actions, nil, $0, environ) }
        try? complaint.writeEnd.close()
        guard code == 0 else {
            throw MountFailure(
                .system, "fusermount3 cannot be run: \(Errno(rawValue: code))", remedy: "install the package fuse3")
        }
        let text = String(decoding: complaint.readEnd.readToEnd(until: .after(.seconds(60))).bytes, as: UTF8.self)
        var status: Int32 = 0
        waitpid(process, &status, 0)
        if status == 0 { return }
        if text.contains("busy") { throw busy(place) }
        throw MountFailure(
            .mountFailed,
            "\(place.mountPoint) cannot be unmounted: \(text.split(separator: "\n").joined(separator: " "))")
    }

    private static func busy(_ place: MountedPlace) -> MountFailure {
        let users = MountUsers.of(place.mountPoint)
        let names = users.isEmpty ? "somebody" : users.joined(separator: ", ")
        return MountFailure(
            .mountFailed, "\(place.mountPoint) is in use by \(names)",
            remedy: "end that, or give --lazy to let it go on without a name")
    }
}
