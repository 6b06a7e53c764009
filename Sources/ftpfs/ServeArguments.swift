import ArgumentParser
import FTPMount

/// `ftpfs serve DIRECTORY [--port PORT]`
struct ServeArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs serve",
        abstract: "Serve a directory by FTP to this machine, for trying ftpfs out.",
        discussion: """
            Listens on 127.0.0.1 only, prints its URL as one line on standard output, and serves until it is \
            interrupted. Whoever can connect from this machine can read and write the directory.
            """,
        version: Version.current)

    @Argument(help: "The directory to serve.")
    var directory: String

    @Option(help: "The port to listen on; by default any free one.")
    var port: UInt16 = 0

    func run(as program: String) -> FTPMount.ExitCode {
        Serving.serve(directory: directory, port: port, program: program)
    }
}
