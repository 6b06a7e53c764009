import CLinux
import SystemPackage
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The mount command, from its arguments to its exit code.
package enum Mounting {
    /// Checks, finds out who logs in, mounts. Blocks until the mount answers; in the foreground until it has ended.
    ///
    /// What goes wrong is one line on standard error.
    package static func mount(_ request: MountRequest) -> ExitCode {
        // A mounting process that dies early closes its pipe; that shall be an error and not the end.
        signal(SIGPIPE, SIG_IGN)
        do throws(MountFailure) {
            let options = try MountPlan.options(request.optionTexts, ignoringUnknown: request.ignoresUnknownOptions)
            for note in options.notes { say("\(request.program): warning: \(printable(note.utf8))") }
            if options.isRemount {
                try Remounting.remount(request, options)
                return .success
            }
            let plan = try MountPlan(checking: request)
            if request.isFake { return .success }
            var search = CredentialSearch(
                address: plan.address, options: plan.options.credentials,
                surroundings: .ofThisProcess(program: request.program))
            let credentials = try plan.naming { () throws(MountFailure) in try search.run() }
            if request.isForeground || request.isDebug {
                try plan.naming { () throws(MountFailure) in
                    try MountingProcess(plan: plan, credentials: credentials, isForeground: true).run { _ in true }
                }
            } else {
                try Launcher.launch(plan, credentials: credentials)
                if request.isVerbose { say("\(request.program): \(plan.address.sourceName) on \(plan.mountPoint)") }
            }
            return .success
        } catch {
            say(error.line(program: request.program))
            return error.code
        }
    }

    /// The life of the process that ``Launcher`` starts. Its descriptors hold the settings and take the one word.
    package static func serve(settings: Int32, status: Int32) -> ExitCode {
        // It was executed as /proc/self/exe, of which `ps` and `top` would show the last word.
        clinux_set_thread_name("ftpfs")
        let status = FileDescriptor(rawValue: status)
        func report(_ outcome: StatusReport.Outcome) -> Bool {
            defer { try? status.close() }
            let bytes = StatusReport.encoded(outcome)
            return (try? status.writeAll(bytes)) == bytes.count
        }
        _ = fcntl(status.rawValue, F_SETFD, FD_CLOEXEC)
        let input = FileDescriptor(rawValue: settings)
        let (bytes, isComplete) = input.readToEnd(until: .after(.seconds(5)))
        try? input.close()
        guard isComplete, let record = SettingsRecord(decoding: bytes) else {
            _ = report(.failed(MountFailure(.internalFault, "the settings did not arrive")))
            return .internalFault
        }
        do throws(MountFailure) {
            let plan = try MountPlan(trusting: record)
            try plan.naming { () throws(MountFailure) in
                try MountingProcess(plan: plan, credentials: record.credentials, isForeground: false).run(report)
            }
            return .success
        } catch {
            _ = report(.failed(error))
            return error.code
        }
    }

    private static func say(_ line: String) {
        _ = try? FileDescriptor.standardError.writeAll((line + "\n").utf8)
    }
}
