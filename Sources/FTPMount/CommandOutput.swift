import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What the commands beside the mount itself say: results on standard output, one line for each problem on standard error.
struct CommandOutput {
    let program: String

    /// Runs a command; a failure is a line and an exit code.
    static func run(_ program: String, _ body: (CommandOutput) throws(MountFailure) -> ExitCode) -> ExitCode {
        // Whoever reads the output may stop reading; that shall be an error and not the end.
        signal(SIGPIPE, SIG_IGN)
        let output = CommandOutput(program: program)
        do throws(MountFailure) {
            return try body(output)
        } catch {
            output.complain(error)
            return error.code
        }
    }

    /// Writes to standard output.
    ///
    /// - Returns: whether somebody still reads.
    @discardableResult
    func say(_ text: String) -> Bool { (try? FileDescriptor.standardOutput.writeAll(text.utf8)) != nil }

    /// Writes one line to standard error.
    func complain(_ failure: MountFailure) {
        _ = try? FileDescriptor.standardError.writeAll((failure.line(program: program) + "\n").utf8)
    }

    /// Lines for files that could not be sent.
    func complain(about files: [ControlMessage.Unsent]) {
        for file in files {
            let kept = file.kept.map { "its content is in \($0)" } ?? "it stays where it is, and can be sent again"
            complain(MountFailure(.mountFailed, "\(file.path) was not sent: \(file.reason)", remedy: kept))
        }
    }
}
