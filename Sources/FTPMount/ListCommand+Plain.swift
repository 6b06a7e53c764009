extension ListCommand {
    /// Prints the mount points alone, one on each line, and asks no mount: what completions use.
    package static func runPlain(program: String) -> ExitCode {
        CommandOutput.run(program) { output throws(MountFailure) in
            output.say(places().map { $0.mountPoint + "\n" }.joined())
            return .success
        }
    }
}
