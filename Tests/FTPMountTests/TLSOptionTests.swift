import EmbeddedFTPServer
import FTPClient
import Testing

@testable import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What URL and options say of TLS.
@Suite("TLS", .serialized, .timeLimit(.minutes(2)))
struct TLSOptionTests {
    private func plan(_ url: String, _ options: String = "") throws -> MountPlan {
        var plan: MountPlan?
        try withTemporaryDirectory { directory in
            plan = try MountPlan(
                checking: MountRequest(
                    program: "ftpfs", source: url, mountPoint: directory.path, optionTexts: [Array(options.utf8)]))
        }
        return try #require(plan)
    }

    @Test(
        "is off unless the URL or an option says otherwise",
        arguments: [
            ("ftp://h/", "", TLSSettings.Mode.off, 21, "h"),
            ("ftp://h/", "tls=auto", .auto, 21, "h"),
            ("ftp://h/", "tls=explicit", .explicit, 21, "h"),
            ("ftp://h/", "tls=implicit", .implicit, 990, "h"),
            ("ftp://h:21/", "tls=implicit", .implicit, 21, "h:21"),
            ("ftp://h/", "ssl", .explicit, 21, "h"),
            ("ftp://h/", "ssl_try", .auto, 21, "h"),
            ("ftp://h/", "ssl_control", .explicit, 21, "h"),
            ("ftpes://h/", "", .explicit, 21, "h"),
            ("ftpes://h/", "tls=explicit,port=2121", .explicit, 2121, "h:2121"),
            ("ftps://h/", "", .implicit, 990, "h"),
            ("ftps://h/", "port=21", .implicit, 21, "h:21"),
        ])
    func mode(_ url: String, _ options: String, _ mode: TLSSettings.Mode, _ port: UInt16, _ place: String) throws {
        let plan = try plan(url, options)
        #expect(plan.tls == mode)
        #expect(plan.port == port)
        #expect(plan.place == place)
        // What the mounting process is told means the same there.
        let record = SettingsRecord(plan: plan, credentials: Credentials(user: [], password: Secret("")))
        let again = try MountPlan(trusting: try #require(SettingsRecord(decoding: record.encoded)))
        #expect(again.tls == mode)
        #expect(again.options.tls == plan.options.tls)
    }

    @Test(
        "is one thing",
        arguments: [("ftps://h/", "tls=explicit"), ("ftpes://h/", "tls=off"), ("ftpes://h/", "ssl_try")])
    func contradiction(_ url: String, _ options: String) {
        #expect {
            _ = try plan(url, options)
        } throws: {
            ($0 as? MountFailure)?.code == .usage && "\($0)".contains("contradicts tls=")
        }
    }

    @Test("has options for whom to trust")
    func options() throws {
        let pin = "sha256:" + String(repeating: "0f", count: 32)
        let tls = try MountOptions(
            parsing: [
                Array("tls_ca=/ca.pem,tls_pin=\(pin),tls_cert=/c.pem,tls_key=/k.pem,tls_min=1.3,tls_data=clear".utf8)
            ]
        ).tls
        #expect(tls.authorities == "/ca.pem")
        #expect(tls.pin.map { "\($0)" } == pin)
        #expect(tls.certificate == "/c.pem" && tls.key == "/k.pem")
        #expect(tls.minimum == .tls13)
        #expect(!tls.protectsData && tls.verifies)
        #expect(try !MountOptions(parsing: [Array("tls_verify=no".utf8)]).tls.verifies)
        #expect(try !MountOptions(parsing: [Array("no_verify_peer".utf8)]).tls.verifies)
        #expect(try !MountOptions(parsing: [Array("ssl_control".utf8)]).tls.protectsData)
        #expect(try MountOptions(parsing: [Array("cacert=a".utf8)]).tls.authorities?.hasSuffix("/a") == true)
    }

    @Test(
        "takes no other values", arguments: ["tls=on", "tls_verify=maybe", "tls_min=1.1", "tls_data=no", "tls_pin=abc"])
    func wrongValue(text: String) {
        #expect(throws: MountOptions.Invalid.self) { try MountOptions(parsing: [Array(text.utf8)]) }
    }

    @Test("wants a key that nobody else can read")
    func openKey() throws {
        try withTemporaryDirectory { directory in
            let certificate = try directory.write("c.pem", "", mode: 0o644)
            let key = try directory.write("k.pem", "", mode: 0o644)
            var options = MountTLSOptions()
            options.certificate = certificate
            options.key = key
            for (mode, words) in [(0o644, "can be used by other users"), (0o600, "")] as [(mode_t, String)] {
                chmod(key, mode)
                do throws(MountFailure) {
                    #expect(try TLSSettings(options, mode: .explicit).key?.isEmpty == true && mode == 0o600)
                } catch {
                    #expect(error.code == .usage && error.message.contains(words))
                }
            }
            // Without a key of its own it is in the file of the certificate.
            options.key = nil
            #expect(throws: MountFailure.self) { try TLSSettings(options, mode: .explicit) }
            options.certificate = nil
            options.key = key
            #expect(throws: MountFailure.self) { try TLSSettings(options, mode: .explicit) }
        }
    }

    @Test("the program refuses a server without TLS, a wrong file and a key that others can read, each with its line")
    func program() throws {
        let server = try EmbeddedFTPServer(.init(storage: .memory(MemoryTree())))
        try server.start()
        defer { server.stop() }
        try withTemporaryDirectory { directory in
            mkdir(directory.path + "/mnt", 0o700)
            func line(_ options: String) throws -> (Int32?, String) {
                let outcome = try Program.run([
                    "ftpes://127.0.0.1:\(server.port)/", directory.path + "/mnt", "-o",
                    "spool_dir=\(directory.path)/spool\(options)",
                ])
                return (outcome.status, outcome.standardError)
            }
            let refused = try line("")
            #expect(refused.0 == ExitCode.mountFailed.rawValue)
            #expect(refused.1.contains("the server refused TLS (AUTH TLS)"))
            let key = try directory.write("key", "", mode: 0o644)
            let open = try line(",tls_cert=\(key)")
            #expect(open.0 == ExitCode.usage.rawValue && open.1.contains("can be used by other users"))
            #expect(open.1.split(separator: "\n").count == 1)
        }
    }
}
