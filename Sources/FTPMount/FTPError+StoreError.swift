package import FTPClient
import FTPProtocol
package import FileSystem
import SystemPackage
import Vocabulary

extension StoreError {
    /// What an error of the client means for a file, as far as it can be told without asking the server again.
    package init(_ error: FTPError) {
        self.init(Self.kind(of: error), error.description, isInterruption: error.isInterruption)
    }

    private static func kind(of error: FTPError) -> Kind {
        switch error {
        case .refused(_, let reply): kind(of: reply)
        // 4yz: "the user may try again" (RFC 959 §4.2.1), which says nothing against this user.
        case .loginRefused(let reply): reply.category == .transientNegative ? .busy : .denied
        case .tlsRefused, .certificateRejected, .tlsSettings: .denied
        case .tlsFailed: .protocolViolation
        case .tooManyConnections: .busy
        case .baseDirectoryRefused: .notFound
        case .connectionLost: .inputOutput
        case .timedOut: .timedOut
        case .unreachable: .unreachable
        case .proxyFailed: .unreachable
        case .unknownHost: .unreachable
        case .notFTP: .protocolViolation
        case .protocolViolation: .protocolViolation
        case .invalidArgument: .invalidArgument
        case .unsupported: .unsupported
        case .cancelled: .cancelled
        case .changedRemotely: .changedRemotely
        case .localFailure(let errno, _): kind(of: errno)
        case .closed: .unreachable
        }
    }

    /// The codes of RFC 959 §4.2 that say what they mean, whatever was asked. 550 says nothing: `notFound` is the most
    /// frequent meaning, and what is left when ``FTPStore/explain(_:_:_:)`` has found nothing better.
    private static func kind(of reply: Reply) -> Kind {
        switch reply.code {
        case 200, 202, 402, 500, 502, 504: .unsupported
        case 421, 425, 426: .inputOutput
        case 451: full(reply) ?? .inputOutput
        case 450: .busy
        case 452: full(reply) ?? .noSpace
        case 501: .invalidArgument
        // 521: the directory exists already (RFC 1123 §4.1.3.1 speaks of it); some servers say it.
        case 521: .exists
        case 530, 532: .denied
        case 550: full(reply) ?? (reply.saysDenied ? .denied : .notFound)
        case 551: .unsupported
        // "Exceeded storage allocation" by the RFC, which is a quota; nearly everybody says it of a full disk.
        case 552: reply.mentions(["quota", "kontingent", "cuota"]) ? .quotaExceeded : .noSpace
        case 553: full(reply) ?? .denied
        default: .inputOutput
        }
    }

    /// No room, in words.
    private static func full(_ reply: Reply) -> Kind? {
        if reply.says(.quotaExceeded) { return .quotaExceeded }
        return reply.says(.noSpace) ? .noSpace : nil
    }

    /// A failure on this side: what the process lacks, or a disk.
    private static func kind(of errno: Errno) -> Kind {
        switch errno {
        case .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .resourceTemporarilyUnavailable: .noResources
        case .noSpace: .noSpace
        case .diskQuotaExceeded: .quotaExceeded
        default: .inputOutput
        }
    }
}
