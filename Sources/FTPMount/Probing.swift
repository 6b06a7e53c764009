import FTPClient
import Logging
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command `ftpfs probe`: what a server can do, for a person before the first mount and for a bug report.
package enum Probing {
    /// Connects as a mount with the same URL and options would, tries what the server can do, and prints it on standard
    /// output, line by line as it is found, or all at once as JSON.
    ///
    /// Blocks until done; Ctrl-C ends it, and the scratch directory on the server is removed also then.
    ///
    /// - Returns: success when the server could be logged in to, whatever it can or cannot do.
    package static func probe(_ request: MountRequest, asJSON: Bool) -> ExitCode {
        signal(SIGPIPE, SIG_IGN)
        do throws(MountFailure) {
            let plan = try MountPlan(probing: request)
            var search = CredentialSearch(
                address: plan.address, options: plan.options.credentials,
                surroundings: .ofThisProcess(program: request.program))
            let credentials = try plan.naming { () throws(MountFailure) in try search.run() }
            Signals.block()
            let ending = Cancellation()
            do throws(Thread.NotStarted) {
                try Signals.watch { _ in ending.cancel() }
            } catch {
                throw MountFailure(.system, "no thread can be started: \(Errno(rawValue: error.code))")
            }
            let left = try plan.naming { () throws(MountFailure) in
                try run(plan, credentials, asJSON: asJSON, ending)
            }
            if let left { throw MountFailure(.mountFailed, left, remedy: "remove it by other means").at(plan.place) }
            return .success
        } catch {
            _ = try? FileDescriptor.standardError.writeAll((error.line(program: request.program) + "\n").utf8)
            return error.code
        }
    }

    private static func run(
        _ plan: MountPlan, _ credentials: Credentials, asJSON: Bool, _ ending: Cancellation
    ) throws(MountFailure) -> String? {
        let level: Logger.Level = plan.isDebug ? .debug : plan.options.logLevel ?? .error
        let logger = Logger(label: "ftpfs") { _ in LineLogHandler(to: .standardError, level: level) }
        let configuration = try ClientConfiguration(plan, credentials, logger)
        var report = ProbeReport()
        if isatty(STDOUT_FILENO) == 1 {
            report.style = TerminalStyle.suiting(STDOUT_FILENO)
            report.columns = report.style.columns
        }
        let left: String?
        do throws(FTPError) {
            left = try ServerProbe.run(
                configuration, cancellation: ending,
                found: { finding in
                    let line = report.add(finding)
                    if !asJSON { say(line) }
                })
        } catch {
            throw MountFailure(connecting: error)
        }
        if asJSON { say(report.json.text + "\n") }
        return left
    }

    private static func say(_ text: String) {
        _ = try? FileDescriptor.standardOutput.writeAll(text.utf8)
    }
}
