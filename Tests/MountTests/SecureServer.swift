import EmbeddedFTPServer
import SystemPackage
import TestSupport

/// The embedded server in this process, so that its transcript can be read, with a directory of its own.
final class SecureServer: Sendable {
    let server: EmbeddedFTPServer
    let endpoint: Endpoint
    /// The directory that it serves.
    let root: String
    private let directory: TemporaryDirectory

    /// - Parameters:
    ///   - policy: `nil`: no TLS.
    ///   - trusted: whether the endpoint's client is told to trust the server's certificate.
    init(
        _ policy: TLSPolicy?, _ family: Endpoint.Family = .ipv4, trusted: Bool = true, _ faults: [FaultPlan.Rule] = []
    ) throws {
        directory = try TemporaryDirectory("embedded")
        root = try directory.makeDirectory("root")
        let host = family == .ipv4 ? "127.0.0.1" : "::1"
        server = try EmbeddedFTPServer(
            .init(
                storage: .directory(FilePath(root)), users: ["ftpfs": "correct horse"], dialect: .proftpd,
                faults: FaultPlan(faults), tls: policy, address: host))
        let security: Endpoint.Security =
            switch policy?.start {
            case nil: .off
            case .explicit: .explicit
            case .implicit: .implicit
            }
        let authority = directory.path("authority.pem")
        if let policy { try Files.write(String(decoding: policy.identity.certificate, as: UTF8.self), to: authority) }
        endpoint = Endpoint(
            host: host, port: server.port, user: "ftpfs", password: "correct horse", security: security,
            authority: policy != nil && trusted ? authority : nil)
        try server.start()
    }

    deinit { server.stop() }

    /// A file for the client that only its owner may read.
    func file(_ name: String, _ content: [UInt8]) throws -> String {
        let path = directory.path(name)
        try Files.write(String(decoding: content, as: UTF8.self), to: path)
        return path
    }
}

extension TLSPolicy {
    /// Everything that a strict server demands.
    static func strict(_ start: Start) throws -> TLSPolicy {
        var policy = try TLSPolicy(start)
        policy.requiresTLSForLogin = true
        policy.requiresTLSForData = true
        policy.requiresSessionReuse = true
        policy.requiresCloseNotifyOfUploads = true
        return policy
    }
}
