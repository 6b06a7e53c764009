package import Threading
import Vocabulary

/// Finds out what a server can do by doing it, as far as that does no harm.
///
/// What a server announces is only a hint, so each ability is tried: with an own connection where a method of making data
/// connections is asked about, else on one session that is made anew when a trial has broken it. Everything that writes
/// happens in a scratch directory with a random name in the base directory, which is removed at the end; where that cannot
/// be made, the trials that need it are reported as not tried. A trial that fails never ends the probe: its reason is
/// the finding.
///
/// The trials are a table (``steps``), in the order of the report. One thread; blocks for the whole of it: some seconds,
/// and at most the limits of `ClientConfiguration.Timeouts` for each trial.
package struct ServerProbe {
    /// One trial.
    struct Step: Sendable {
        let section: Finding.Section
        let key: String
        let title: String
        /// Whether the scratch directory is needed.
        var needsScratch = false
        let run: @Sendable (ProbeRun) throws(FTPError) -> Finding.Outcome
    }

    static let steps: [Step] =
        connectionSteps + securitySteps + dataSteps + listingSteps + fileSteps + nameSteps + limitSteps + rateSteps

    /// Connects, tries everything, and cleans up.
    ///
    /// - Parameter found: takes each finding as soon as it is there.
    /// - Returns: what is left behind on the server, if the scratch directory could not be removed.
    /// - Throws: what keeps a mount from connecting; a probe that has logged in throws `cancelled` only.
    package static func run(
        _ configuration: ClientConfiguration, cancellation: Cancellation, found: (Finding) -> Void
    ) throws(FTPError) -> String? {
        let run = ProbeRun(configuration, cancellation)
        defer { run.close() }
        _ = try run.session()
        do throws(FTPError) {
            for step in steps { found(try finding(of: step, run)) }
        } catch {
            // Only a cancellation comes here; what has been made is removed all the same.
            _ = run.removeScratch()
            throw error
        }
        return run.removeScratch()
    }

    private static func finding(of step: Step, _ run: ProbeRun) throws(FTPError) -> Finding {
        Finding(section: step.section, key: step.key, title: step.title, outcome: try outcome(of: step, run))
    }

    private static func outcome(of step: Step, _ run: ProbeRun) throws(FTPError) -> Finding.Outcome {
        if step.needsScratch, run.scratch == nil {
            return Finding.Outcome(.unknown, "nothing can be written here")
        }
        do throws(FTPError) {
            return try step.run(run)
        } catch {
            switch error {
            case .cancelled: throw error
            case .refused(_, let reply), .tlsRefused(_, let reply): return Finding.Outcome(.no, reply.summary)
            case .unsupported: return Finding.Outcome(.no)
            default: return Finding.Outcome(.unknown, "\(error)")
            }
        }
    }
}
