import FTPProtocol
import Threading
import Vocabulary

extension Session {
    /// Begins to write a file.
    ///
    /// - Throws: `unsupported` when the server has no command for that mode.
    func openWrite(_ path: RemotePath, _ mode: WriteMode, _ cancellation: Cancellation) throws(FTPError) -> Transfer {
        try useImageType(cancellation)
        let wire = try wirePath(ofNew: path, cancellation)
        switch mode {
        case .replace:
            return try beginTransfer(Command("STOR", wire), cancellation)
        case .append:
            return try beginAppend(Command("APPE", wire), cancellation)
        case .at(let offset):
            guard offset > 0 else { throw .invalidArgument("writing into a file from its first byte on") }
            guard server.known.hasRestart else { throw .unsupported("write into the middle of a file (REST)") }
            return try beginTransfer(Command("STOR", wire), at: offset, cancellation)
        }
    }

    /// Waits until the server is done with an upload that was broken off, at most `timeouts.recovery`.
    ///
    /// It may still be writing what it had received. Who sends the file anew, removes it, or looks how much of it has
    /// arrived, must not do that beside it: the old bytes would come behind the new ones.
    func settleUpload() {
        guard condition == .outOfStep else { return }
        do throws(FTPError) {
            try recover(Cancellation())
        } catch {
            control.fail(error)
        }
    }

    private func beginAppend(_ command: Command, _ cancellation: Cancellation) throws(FTPError) -> Transfer {
        let missing = FTPError.unsupported("append to files (it has no APPE)")
        guard server.known.hasAppend else { throw missing }
        do throws(FTPError) {
            return try beginTransfer(command, cancellation)
        } catch {
            // 501 may be about this one path; the others are about the command.
            guard error.isNotImplemented, error.refusal?.code != 501 else { throw error }
            server.learn { $0.hasAppend = false }
            throw missing
        }
    }
}

/// Where the bytes of a ``WriteStream`` go.
package enum WriteMode: Hashable, Sendable {
    /// They become the whole content (`STOR`).
    case replace
    /// They follow the present content (`APPE`).
    case append
    /// They take the place of what is there from this offset on, which is more than 0 (`REST`, `STOR`: RFC 3659 §5).
    case at(Int64)
}
