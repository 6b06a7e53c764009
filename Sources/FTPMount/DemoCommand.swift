import EmbeddedFTPServer
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command `ftpfs demo`: shows a mount at work, on a machine that has no FTP server.
///
/// Everything is in one new directory: `site`, which a server in this process serves to this machine; `mount`; and the caches.
/// The command lines of ``DemoSteps`` are printed and run by a shell, with this very program in its PATH. However it ends, the
/// mount is taken away first, then the server ends, and then the directory goes.
package enum DemoCommand {
    /// Runs the demo. Blocks to its end, or until SIGINT, SIGTERM or SIGHUP.
    ///
    /// - Parameter stays: leaves the mount there, for looking around, until one of these signals comes.
    package static func run(staying stays: Bool, program: String) -> ExitCode {
        // Before there is a second thread. A terminal that is closed ends this too: nobody could look any more.
        Signals.block(takingRequests: true)
        let ending = Cancellation()
        return CommandOutput.run(program) { output throws(MountFailure) in
            do throws(Thread.NotStarted) {
                try Signals.watch(
                    { _ in ending.cancel() }, onRequest: { request in if request == .refresh { ending.cancel() } })
            } catch {
                throw MountFailure(.system, "no thread can be started: \(Errno(rawValue: error.code))")
            }
            let place = try TemporaryTree(named: "ftpfs-demo")
            defer { place.remove() }
            let server = try serve(place)
            defer { server.stop() }
            let shell = DemoShell(place: place.path, output: output, ending: ending)
            defer { takeAway(place.path + "/mount") }
            output.say("ftp://127.0.0.1:\(server.port)/ serves \(place.path)/site\n")
            for part in DemoSteps.parts(url: "ftp://127.0.0.1:\(server.port)/") { try shell.show(part) }
            if stays {
                output.say("\nThe mount is \(place.path)/mount; Ctrl-C ends this.\n")
                wait(for: ending)
                return .success
            }
            try shell.show(DemoSteps.end)
            return .success
        }
    }

    /// Makes the files and serves them.
    private static func serve(_ place: TemporaryTree) throws(MountFailure) -> EmbeddedFTPServer {
        for directory in ["site", "mount", "cache", "bin"] { try place.makeDirectory(directory) }
        for (path, content) in DemoSteps.files {
            if let content {
                try place.write(content, to: "site/\(path)")
            } else {
                try place.makeDirectory("site/\(path)")
            }
        }
        // The command lines say `ftpfs`, wherever this program is and whatever it is called.
        try place.link("bin/ftpfs", to: ownPath())
        do throws(EmbeddedFTPServer.StartFailure) {
            let server = try EmbeddedFTPServer(.init(storage: .directory(FilePath(place.path + "/site"))))
            try server.start()
            return server
        } catch {
            throw MountFailure(.system, "the server cannot be started: \(error)")
        }
    }

    private static func wait(for ending: Cancellation) {
        let isOver = Monitor(false)
        let handler = ending.onCancel { isOver.withLockThenWake { $0 = true } }
        defer { ending.removeHandler(handler) }
        // A person decides when.
        _ = isOver.wait(until: .never) { $0 ? true : nil }
    }

    private static func ownPath() throws(MountFailure) -> String {
        guard let path = realpath("/proc/self/exe", nil) else {
            throw MountFailure(.system, "this program is nowhere to be found: \(Errno(rawValue: errno))")
        }
        defer { free(path) }
        return String(cString: path)
    }

    /// Unmounts if that has not happened yet.
    private static func takeAway(_ mountPoint: String) {
        guard MountTable.current().type(at: mountPoint) == MountTable.ownType else { return }
        guard UnmountCommand.run(mountPoint, isLazy: false, program: "ftpfs demo") != .success else { return }
        _ = UnmountCommand.run(mountPoint, isLazy: true, program: "ftpfs demo")
    }
}
