#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Runs shell scripts with a hard time limit.
package enum Shell {
    /// What a script did.
    package struct Outcome: Sendable, CustomStringConvertible {
        /// `nil`: it ran into the time limit and was killed.
        package let exit: ChildProcess.Exit?
        package let output: String
        package let errors: String

        package var succeeded: Bool { exit == .code(0) }

        package var description: String {
            let end =
                switch exit {
                case .code(let code): "exit code \(code)"
                case .signal(let number): "signal \(number)"
                case nil: "killed at the time limit"
                }
            return "\(end)\n\(output)\(errors)"
        }
    }

    /// Runs a script with bash and returns when it has ended, or with its whole process group killed at the limit.
    package static func run(
        _ script: String, _ environment: [String: String] = [:], timeout: Duration = .seconds(60)
    ) throws -> Outcome {
        try run(["bash", "-c", script], environment, timeout: timeout)
    }

    /// The same for a program with its arguments.
    package static func run(
        _ arguments: [String], _ environment: [String: String] = [:], timeout: Duration = .seconds(60)
    ) throws -> Outcome {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/ftpfs-output-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw TestFailure("mkdtemp in \(base) failed") }
        let directory = template.withUnsafeBufferPointer {
            String(decoding: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        let output = "\(directory)/output"
        let errors = "\(directory)/errors"
        defer {
            unlink(output)
            unlink(errors)
            rmdir(directory)
        }
        let child = try ChildProcess(arguments, environment: environment, output: output, errors: errors)
        let exit = child.wait(within: timeout)
        if exit == nil { child.kill() }
        return Outcome(exit: exit, output: Files.text(output), errors: Files.text(errors))
    }
}
