import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command `ftpfs status`.
package enum StatusCommand {
    /// How it is shown.
    package enum Format: Sendable {
        case text
        case json
        case prometheus
    }

    /// How often `--watch` shows it anew.
    private static let interval: Int32 = 1000

    /// Shows what a mount is and does; without a path, all mounts of this user.
    ///
    /// - Parameter watches: shows it again each second, until the mount ends or this process is ended.
    /// - Returns: success when all could be asked.
    package static func run(_ path: String?, as format: Format, watches: Bool, program: String) -> ExitCode {
        CommandOutput.run(program) { output throws(MountFailure) in
            var code = try show(path, format, isAgain: watches, output)
            while watches, code == .success {
                _ = poll(nil, 0, interval)
                // It was there: that it has gone is the end and no mistake.
                guard let next = try? show(path, format, isAgain: true, output) else { return .success }
                code = next
            }
            return code
        }
    }

    private static func show(
        _ path: String?, _ format: Format, isAgain: Bool, _ output: CommandOutput
    ) throws(MountFailure) -> ExitCode {
        var code = ExitCode.success
        var statuses: [MountStatus] = []
        let places = if let path { [try MountedPlace.mount(at: path)] } else { ListCommand.places() }
        for place in places {
            do throws(ControlClient.Failure) {
                statuses.append(try place.status())
            } catch {
                let failure = error.failure(at: place)
                guard path == nil else { throw failure }
                output.complain(failure)
                code = failure.code
            }
        }
        let isRead = output.say(text(statuses, of: path, format, isAgain: isAgain))
        // Nobody reads any more: there is nothing to be shown again.
        if !isRead, isAgain { return .system }
        return code
    }

    private static func text(_ statuses: [MountStatus], of path: String?, _ format: Format, isAgain: Bool) -> String {
        switch format {
        case .prometheus:
            return StatusMetrics.text(of: statuses)
        case .json:
            let json = path == nil ? JSON.array(statuses.map(\.json)) : statuses.first?.json ?? .null
            return (isAgain ? json.line : json.text) + "\n"
        case .text:
            let style = TerminalStyle.suiting(STDOUT_FILENO)
            let text = statuses.map(StatusText(style: style).text).joined(separator: "\n\n")
            let shown = text.isEmpty ? "no ftpfs mounts\n" : text
            guard isAgain else { return shown }
            // To the first line, and what is below goes (ECMA-48 §8.3.21 CUP, §8.3.39 ED).
            return isatty(STDOUT_FILENO) == 1 ? "\u{1B}[H\u{1B}[2J" + shown : shown + "\n"
        }
    }
}
