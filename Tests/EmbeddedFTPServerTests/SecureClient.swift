import Testing

@testable import EmbeddedFTPServer

/// Runs Python's ftplib and ssl as a client with TLS: an implementation that has nothing in common with this project's
/// but OpenSSL itself.
enum SecureClient {
    /// The arguments: host, port, the file with the server's certificate, `explicit` or `implicit`, the newest version.
    private static let prelude = """
        import ftplib, io, socket, ssl, sys, time
        host, port, authority, start, newest = sys.argv[1:6]

        def new_context():
            context = ssl.create_default_context(cafile=authority)
            context.maximum_version = {'TLSv1.2': ssl.TLSVersion.TLSv1_2, 'TLSv1.3': ssl.TLSVersion.TLSv1_3}[newest]
            return context
        # One for all: Python resumes sessions within one context only.
        context = new_context()

        class Client(ftplib.FTP_TLS):
            reuses, session, unwraps = True, None, True
            def __init__(self):
                super().__init__(context=context, timeout=10)
                if start == 'explicit': self.connect(host, int(port))
                else:
                    self.host, self.port = host, int(port)
                    self.sock = self.context.wrap_socket(socket.create_connection((host, port), 10), server_hostname=host)
                    self.af, self.file = self.sock.family, self.sock.makefile('r', encoding='utf-8')
                    self.welcome = self.getresp()
            def log_in(self):
                self.login('joe', 'secret') if start == 'explicit' else ftplib.FTP.login(self, 'joe', 'secret')
                self.prot_p()
                return self
            def ntransfercmd(self, command, rest=None):
                connection, size = ftplib.FTP.ntransfercmd(self, command, rest)
                if self._prot_p:
                    session = (self.session or self.sock.session) if self.reuses else None
                    connection = self.context.wrap_socket(
                        connection, server_hostname=host, session=session, suppress_ragged_eofs=False)
                return connection, size
            def get(self, name):
                parts = []
                try: self.retrbinary('RETR ' + name, parts.append)
                # The reply says why.
                except ssl.SSLEOFError: return self.voidresp()
                return b''.join(parts)
            def put(self, name, content, in_order=True, verb='STOR '):
                connection = self.transfercmd(verb + name)
                connection.sendall(content)
                if in_order: connection.unwrap().close()
                else: connection.close()
                return self.voidresp()

        def outcome(action):
            try: return str(action())[:3]
            except ftplib.Error as error: return str(error)[:3]
            except ssl.SSLCertVerificationError as error: return 'not verified: ' + error.verify_message
            except (ssl.SSLError, OSError, EOFError) as error: return type(error).__name__

        """

    /// Runs a script of Python with `Client` and `outcome`. - Returns: what it printed, without the last line end.
    static func run(
        _ server: EmbeddedFTPServer, _ policy: TLSPolicy, host: String = "127.0.0.1", newest: String = "TLSv1.3",
        _ script: String
    ) throws -> String {
        try withTemporaryDirectory { (directory) throws in
            let authority = "\(directory)/authority.pem"
            try write(policy.identity.certificate, to: authority)
            let start = policy.start == .explicit ? "explicit" : "implicit"
            let arguments = [host, "\(server.port)", authority, start, newest]
            let result = try EmbeddedFTPServerTests.run(["python3", "-c", prelude + script] + arguments)
            return result.output.hasSuffix("\n") ? String(result.output.dropLast()) : result.output
        }
    }
}

/// Runs `body` with a server that speaks TLS, for the user `joe`.
func withSecureServer<Result>(
    _ tree: MemoryTree = MemoryTree(), _ policy: TLSPolicy, _ faults: FaultPlan.Rule..., host: String = "127.0.0.1",
    change: (inout EmbeddedFTPServer.Configuration) -> Void = { _ in },
    _ body: (EmbeddedFTPServer) throws -> Result
) throws -> Result {
    var configuration = EmbeddedFTPServer.Configuration(
        storage: .memory(tree), users: ["joe": "secret"], faults: FaultPlan(faults), tls: policy, address: host)
    change(&configuration)
    let server = try EmbeddedFTPServer(configuration)
    defer { server.stop() }
    try server.start()
    return try body(server)
}
