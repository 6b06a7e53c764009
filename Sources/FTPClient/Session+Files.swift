import FTPProtocol
import Threading
import Vocabulary

extension Session {
    /// Begins to write a file.
    func openWrite(_ path: RemotePath, _ mode: WriteMode, _ cancellation: Cancellation) throws(FTPError) -> Transfer {
        try useImageType(cancellation)
        let verb = mode == .replace ? "STOR" : "APPE"
        return try beginTransfer(Command(verb, try wirePath(ofNew: path, cancellation)), cancellation)
    }
}

/// Where the bytes of a ``WriteStream`` go.
package enum WriteMode: Hashable, Sendable {
    /// They become the whole content (`STOR`).
    case replace
    /// They follow the present content (`APPE`).
    case append
}
