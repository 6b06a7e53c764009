import FTPProtocol
import Vocabulary

/// What protects the connections.
extension ServerProbe {
    static let securitySteps: [Step] = [
        Step(section: .security, key: "tls_offered", title: "TLS is offered (AUTH)") { (run) throws(FTPError) in
            let session = try run.session()
            if session.security != nil { return Finding.Outcome(.yes) }
            if run.server.known.tls.isNotOffered { return Finding.Outcome(.no) }
            let isAnnounced = run.server.known.features?.contains("AUTH") == true
            return Finding.Outcome(isAnnounced, "as far as FEAT says; not tried without tls=")
        },
        Step(section: .security, key: "tls", title: "TLS of this connection") { (run) throws(FTPError) in
            guard try run.session().security != nil, let seen = run.server.known.tls.observed else {
                return Finding.Outcome(.no, "everything is sent in the clear")
            }
            let isChecked = run.configuration.tls.verifies ? nil : "the certificate was not checked (tls_verify=no)"
            return Finding.Outcome(.text("\(seen.version), \(seen.cipher)"), isChecked)
        },
        Step(section: .security, key: "pin", title: "the server's key (tls_pin)") { (run) throws(FTPError) in
            guard let seen = run.server.known.tls.observed else { return Finding.Outcome(.unknown) }
            return Finding.Outcome(.text("\(seen.pin)"))
        },
        Step(section: .security, key: "data_tls", title: "files and listings are encrypted") { (run) throws(FTPError) in
            Finding.Outcome(try run.session().security?.protectsData == true)
        },
        Step(section: .security, key: "session_reuse", title: "data connections resume the session") {
            (run) throws(FTPError) in
            guard try run.session().security?.protectsData == true else { return Finding.Outcome(.unknown) }
            return try run.withFreshLogin(knowing: { _ in }) { (session) throws(FTPError) in
                _ = try session.list(.root, run.cancellation)
                return Finding.Outcome(session.security?.hasResumed == true)
            }
        },
    ]
}
