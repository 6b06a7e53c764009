import EmbeddedFTPServer
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command `ftpfs serve`: a directory of this machine as an FTP server, for trying things out.
package enum Serving {
    /// Serves a directory at 127.0.0.1 to anonymous users until a signal ends it; prints the URL as one line on standard
    /// output once clients are answered. Blocks all the while.
    package static func serve(directory: String, port: UInt16, program: String) -> ExitCode {
        Signals.block()
        let ending = Cancellation()
        do throws(MountFailure) {
            do throws(Thread.NotStarted) {
                try Signals.watch { _ in ending.cancel() }
            } catch {
                throw MountFailure(.system, "no thread can be started: \(Errno(rawValue: error.code))")
            }
            let configuration = EmbeddedFTPServer.Configuration(
                storage: .directory(FilePath(MountPoint.absolute(directory))), port: port)
            do throws(EmbeddedFTPServer.StartFailure) {
                try EmbeddedFTPServer.serve(configuration, until: ending) { port in
                    _ = try? FileDescriptor.standardOutput.writeAll("ftp://127.0.0.1:\(port)/\n".utf8)
                }
            } catch {
                throw failure(error)
            }
            return .success
        } catch {
            _ = try? FileDescriptor.standardError.writeAll((error.line(program: program) + "\n").utf8)
            return error.code
        }
    }

    private static func failure(_ error: EmbeddedFTPServer.StartFailure) -> MountFailure {
        switch error {
        case .badAddress(let address):
            MountFailure(.internalFault, "\(address) is not an address")
        case .cannotOpen(let path, let error):
            MountFailure(.usage, "the directory \(path) cannot be opened: \(error)", remedy: "choose another one")
        case .cannotListen(let error):
            MountFailure(.system, "the port cannot be used: \(error)", remedy: "choose another one with --port")
        case .noResources(let error):
            MountFailure(.system, "the server cannot be started: \(error)")
        case .noSecurity(let error):
            MountFailure(.system, "TLS cannot be used: \(error)")
        }
    }
}
