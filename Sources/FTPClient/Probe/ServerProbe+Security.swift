/// Whether connections can be encrypted, and how well.
extension ServerProbe {
    static let securitySteps: [Step] = [
        Step(section: .security, key: "tls", title: "encryption") { (run) throws(FTPError) in
            let observed = try run.observeTLS()
            let note =
                switch run.configuration.tls.mode {
                case .off: "not used here; mount with tls=explicit"
                case .auto, .explicit, .implicit:
                    run.configuration.tls.verifies ? nil : "the certificate is not looked at"
                }
            return .init(.text("\(observed.version), \(observed.cipher)"), note)
        },
        Step(section: .security, key: "pin", title: "the server's key (tls_pin)") { (run) throws(FTPError) in
            .init(.text("\(try run.observeTLS().pin)"))
        },
        Step(section: .security, key: "reuse", title: "data connections resume the session") { (run) throws(FTPError) in
            let observed = try run.observeTLS()
            return .init(observed.resumedDataConnections > 0 && observed.otherDataConnections == 0)
        },
    ]
}
