import FTPProtocol
import Vocabulary

/// Which ways of making data connections work; each is tried with a login of its own that knows no other.
extension ServerProbe {
    static let dataSteps: [Step] = [
        Step(section: .data, key: "epsv", title: "extended passive mode (EPSV)") { (run) throws(FTPError) in
            try listing(by: .extendedPassive, run)
        },
        Step(section: .data, key: "pasv", title: "passive mode (PASV)") { (run) throws(FTPError) in
            let outcome = try listing(by: .passive, run)
            guard outcome.value == .yes else { return outcome }
            return Finding.Outcome(.yes, try passiveAddress(run))
        },
        Step(section: .data, key: "eprt", title: "extended active mode (EPRT)") { (run) throws(FTPError) in
            try listing(by: .extendedActive, run)
        },
        Step(section: .data, key: "port", title: "active mode (PORT)") { (run) throws(FTPError) in
            try listing(by: .active, run)
        },
    ]

    private static func listing(by method: DataMethod, _ run: ProbeRun) throws(FTPError) -> Finding.Outcome {
        try run.withFreshLogin(knowing: { $0.dataMethods = DataMethods(only: method) }) { (session) throws(FTPError) in
            _ = try session.list(.root, run.cancellation)
            return Finding.Outcome(.yes)
        }
    }

    /// What there is to say about the address in a 227; `nil` when it is that of the control connection.
    private static func passiveAddress(_ run: ProbeRun) throws(FTPError) -> String? {
        try run.withFreshLogin(knowing: { _ in }) { (session) throws(FTPError) in
            let reply = try session.complete(Command("PASV"), run.cancellation)
            guard let announced = PassiveReply.parse(reply.text) else { return "the 227 cannot be read" }
            // Through a proxy the control connection ends there.
            guard run.server.configuration.network.proxy == nil else { return nil }
            let peer = try session.control.peer()
            let text = announced.address.map { String($0) }.joined(separator: ".")
            if peer.description == text { return nil }
            return "it announces the address \(text), which is not that of the control connection"
        }
    }
}
