import EmbeddedFTPServer
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The command `ftpfs serve`: a directory of this machine as an FTP server, for trying things out.
package enum Serving {
    /// What is served, and where.
    package struct Request: Sendable {
        /// A directory of this machine.
        package var directory: String
        /// An address in figures that only this machine reaches: whoever connects can read and write everything.
        package var address: String
        /// 0: any free one.
        package var port: UInt16
        /// When TLS begins; `nil`: never.
        package var security: Security?
        /// The files of the certificate and of its private key, in PEM; without them a new one is made.
        package var certificate: (file: String, key: String)?

        package init(
            directory: String, address: String, port: UInt16, security: Security?,
            certificate: (file: String, key: String)?
        ) {
            self.directory = directory
            self.address = address
            self.port = port
            self.security = security
            self.certificate = certificate
        }
    }

    /// When TLS begins.
    package enum Security: String, CaseIterable, Sendable {
        case explicit
        case implicit
    }

    /// Serves a directory to anonymous users until a signal ends it; prints the URL as one line on standard output once
    /// clients are answered, and on the next one, for a certificate that was made for this, the option that trusts it.
    /// Blocks all the while.
    package static func serve(_ request: Request, program: String) -> ExitCode {
        Signals.block()
        let ending = Cancellation()
        do throws(MountFailure) {
            do throws(Thread.NotStarted) {
                try Signals.watch { _ in ending.cancel() }
            } catch {
                throw MountFailure(.system, "no thread can be started: \(Errno(rawValue: error.code))")
            }
            guard isLoopback(request.address) else {
                throw MountFailure(
                    .usage, "\(request.address) is not an address of this machine alone", remedy: "use 127.0.0.1 or ::1"
                )
            }
            let policy = try policy(request)
            let configuration = EmbeddedFTPServer.Configuration(
                storage: .directory(FilePath(MountPoint.absolute(request.directory))), tls: policy,
                address: request.address, port: request.port)
            do throws(EmbeddedFTPServer.StartFailure) {
                try EmbeddedFTPServer.serve(configuration, until: ending) { port in
                    var lines = "\(url(request, port: port))\n"
                    if let policy, request.certificate == nil {
                        lines += "-o tls_pin=sha256:\(hexadecimal(policy.identity.publicKeyDigest))\n"
                    }
                    _ = try? FileDescriptor.standardOutput.writeAll(lines.utf8)
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

    /// Everybody can log in: nobody from another machine may.
    private static func isLoopback(_ address: String) -> Bool { address == "::1" || address.hasPrefix("127.") }

    private static func policy(_ request: Request) throws(MountFailure) -> TLSPolicy? {
        let start: TLSPolicy.Start
        switch request.security {
        case nil: return nil
        case .explicit: start = .explicit
        case .implicit: start = .implicit
        }
        do throws(TLSFailure) {
            guard let files = request.certificate else { return try TLSPolicy(start) }
            let identity = try TLSIdentity(certificate: try content(files.file), key: try content(files.key))
            return TLSPolicy(start, identity: identity)
        } catch {
            throw MountFailure(.usage, "TLS cannot be used: \(error)")
        }
    }

    /// The most that a file with certificates or a key is taken to have: a long chain has some 20 KB.
    private static let largestFile = 1 << 20

    private static func content(_ path: String) throws(TLSFailure) -> [UInt8] {
        do {
            let file = try FileDescriptor.open(FilePath(path), .readOnly, options: .closeOnExec)
            defer { try? file.close() }
            var bytes = [UInt8](repeating: 0, count: largestFile)
            var count = 0
            while count < bytes.count {
                let more = try bytes.withUnsafeMutableBytes {
                    try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[count...]))
                }
                if more == 0 { break }
                count += more
            }
            return Array(bytes[..<count])
        } catch {
            throw TLSFailure("\(path): \(error)")
        }
    }

    private static func url(_ request: Request, port: UInt16) -> String {
        let scheme =
            switch request.security {
            case nil: "ftp"
            case .explicit: "ftpes"
            case .implicit: "ftps"
            }
        let host = request.address.contains(":") ? "[\(request.address)]" : request.address
        return "\(scheme)://\(host):\(port)/"
    }

    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
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
