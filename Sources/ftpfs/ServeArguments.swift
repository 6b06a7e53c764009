import ArgumentParser
import FTPMount

/// `ftpfs serve DIRECTORY [--listen ADDRESS] [--port PORT] [--tls explicit|implicit [--certificate FILE --key FILE]]`
struct ServeArguments: ParsableCommand, Runnable {
    static let configuration = CommandConfiguration(
        commandName: "ftpfs serve",
        abstract: "Serve a directory by FTP to this machine, for trying ftpfs out.",
        usage: """
            ftpfs serve DIRECTORY [--port PORT] [--listen ADDRESS]
                        [--tls explicit|implicit] [--certificate FILE] [--key FILE]
            """,
        discussion: """
            Prints its URL as one line on standard output, and serves until it is interrupted. Whoever can connect \
            from this machine can read and write the directory. With --tls and no certificate of yours the next line \
            is the mount option that trusts the one it has made.
            """,
        version: Version.current)

    @Argument(help: "The directory to serve.")
    var directory: String

    @Option(help: "The port to listen on; by default any free one.")
    var port: UInt16 = 0

    @Option(help: "The address to listen at: 127.0.0.1, another one that begins with 127, or ::1.")
    var listen = "127.0.0.1"

    @Option(help: "Speak TLS: 'explicit', when the client asks for it, or 'implicit', from the beginning.")
    var tls: Serving.Security?

    @Option(help: "The file of the server's certificate and those above it, in PEM.")
    var certificate: String?

    @Option(help: "The file of the certificate's private key, in PEM.")
    var key: String?

    func validate() throws {
        guard (certificate == nil) == (key == nil) else {
            throw ValidationError("--certificate and --key need each other")
        }
        guard certificate == nil || tls != nil else { throw ValidationError("--certificate needs --tls") }
    }

    func run(as program: String) -> FTPMount.ExitCode {
        var files: (file: String, key: String)?
        if let certificate, let key { files = (certificate, key) }
        let request = Serving.Request(
            directory: directory, address: listen, port: port, security: tls, certificate: files)
        return Serving.serve(request, program: program)
    }
}

extension Serving.Security: ExpressibleByArgument {}
