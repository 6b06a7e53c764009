import EmbeddedFTPServer
import FTPClient
import SystemPackage

/// What a program may get, and what it must get.
struct FaultExpectation: Sendable, CustomStringConvertible {
    /// The errors it may get; empty: it must not notice.
    var errnos: Set<Errno>
    /// Whether it may not notice.
    var mayWork = true
    /// Whether it is told of success though nothing was done: modes and times of servers that do not know of them.
    var isIdle = false
    /// Whether the mount does not ask again for a while: who tries a wrong password too often is locked out.
    var locksOut = false

    static let unnoticed = Self(errnos: [])

    var description: String { errnos.isEmpty ? "success" : "\(errnos)\(mayWork ? " or success" : "")" }
}

extension FaultCell {
    var expectation: FaultExpectation {
        switch fault.kind {
        case .refusal(let code): refusal(code)
        case .ending: ending
        case .garbage: FaultExpectation(errnos: [.protocolError])
        // An upload that came to a stand is looked at; what is said then is that it broke.
        case .silence: FaultExpectation(errnos: sends ? [.timedOut, .ioError] : [.timedOut])
        // A download is taken up again, and an upload may be.
        case .cut: sends || fault.isLasting ? FaultExpectation(errnos: [.ioError]) : .unnoticed
        case .noData: fault.isLasting ? FaultExpectation(errnos: [.ioError], mayWork: false) : .unnoticed
        }
    }

    private var sends: Bool { ["STOR", "APPE"].contains(verb) }

    private func refusal(_ code: UInt16) -> FaultExpectation {
        let errno: Errno
        switch code {
        case 450: errno = .resourceBusy
        case 452, 552: errno = .noSpace
        case 500: errno = .notSupportedOnSocket
        case 550, 553: errno = .permissionDenied
        default: errno = .ioError
        }
        if operation.name == "login", !operation.spared.contains(verb) {
            let isPassing = code < 500
            return FaultExpectation(
                errnos: [isPassing ? .resourceBusy : .permissionDenied], mayWork: false, locksOut: !isPassing)
        }
        let isUnknown = code == 500
        // There is another way for a whole file than by a rename, but no other disk.
        if errno == .noSpace, verb == "RNFR" || verb == "RNTO" {
            return FaultExpectation(errnos: [errno], mayWork: false)
        }
        // What broke may be whole again at the next try; that is no reason to write into the old content.
        if code == 451, verb == "RNFR" { return FaultExpectation(errnos: [errno], mayWork: false) }
        if operation.spared.contains(verb) || isUnknown && operation.replaceable.contains(verb) { return .unnoticed }
        if isUnknown, ["SITE", "MFMT"].contains(verb) { return FaultExpectation(errnos: [], isIdle: true) }
        // What is in the way was tried to be got out of it.
        if operation.name == "rename over", verb == "RNTO", !isUnknown {
            return FaultExpectation(errnos: [.fileExists], mayWork: false)
        }
        // A listing that is refused says nothing of one name in it, which is asked for then.
        if operation.name == "stat", code == 550 || code == 553 { return .unnoticed }
        return FaultExpectation(errnos: [errno], mayWork: false)
    }

    private var ending: FaultExpectation {
        // Said all at once, a login has no part without which it could go on.
        let isOneFlight = operation.setting.pipelining == .automatic
        if operation.name == "login", isOneFlight || !operation.spared.contains(verb) {
            // Once is no reason to tell anybody. 421 is about the number of clients then; and a connection that is reset at once
            // was not made.
            if !fault.isLasting, verb != FaultPlan.greeting { return .unnoticed }
            return FaultExpectation(errnos: [.ioError, .resourceBusy, .noRouteToHost])
        }
        // What may be carried out later cannot be made again under the same name; and of bytes in the middle of a file, which
        // may have been written, no size tells; nor of those at the end, while some may be on their way.
        let cannotRepeat =
            operation.name == "write over in place" || operation.name == "append"
            || operation.name == "patch" && verb == "STOR"
        return fault.isLasting || cannotRepeat ? FaultExpectation(errnos: [.ioError]) : .unnoticed
    }
}
