import Vocabulary

/// Why there is no mount: one line for a person, and mount(8)'s code.
package struct MountFailure: Error, Hashable, Sendable {
    /// What the process ends with.
    package let code: ExitCode
    /// What happened, and what to do about it, for one line; without the program's name. Never a secret.
    package let message: String

    /// A failure whose message is `cause`, or `cause; remedy`.
    package init(_ code: ExitCode, _ cause: String, remedy: String? = nil) {
        self.code = code
        // One line, whatever a path or a server's text holds.
        message = printable((remedy.map { "\(cause); \($0)" } ?? cause).utf8)
    }

    /// The line that a person sees.
    ///
    /// - Parameter program: what the process was called as.
    package func line(program: String) -> String { "\(program): \(message)" }

    /// The same failure with the name of the place in front, as in `ftp.example.com: login incorrect`.
    package func at(_ place: String) -> MountFailure {
        MountFailure(code, "\(place): \(message)")
    }
}
