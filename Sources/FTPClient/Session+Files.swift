import FTPProtocol
import Logging
import Threading
import Vocabulary

extension Session {
    /// Begins to write a file.
    ///
    /// - Throws: `unsupported` where files cannot be appended to.
    func openWrite(_ path: RemotePath, _ mode: WriteMode, _ cancellation: Cancellation) throws(FTPError) -> Transfer {
        try useImageType(cancellation)
        let wire = try wirePath(ofNew: path, cancellation)
        if mode == .append { return try openAppend(path, wire, cancellation) }
        return try beginTransfer(Command("STOR", wire), cancellation)
    }

    /// `APPE`; `STOR` for a file that is not there, where the server does not make one to append to.
    ///
    /// `REST` and `STOR` would append too, but a server that does not heed `REST` here cuts the file: without a proof that
    /// it does, the whole content is sent anew, and that is for the caller to do.
    private func openAppend(
        _ path: RemotePath, _ wire: [UInt8], _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        let missing = FTPError.unsupported("append to files (it has no APPE)")
        guard server.known.hasAppend else { throw missing }
        do throws(FTPError) {
            return try beginTransfer(Command("APPE", wire), cancellation)
        } catch {
            // 501 may be about this one path; the others are about the command.
            if error.isNotImplemented, error.refusal?.code != 501 {
                server.learn { _ = $0.strikeOut("APPE") }
                throw missing
            }
            guard error.refusal?.category == .permanentNegative, try status(of: path, cancellation) == nil else {
                throw error
            }
            return try beginTransfer(Command("STOR", wire), cancellation)
        }
    }

    /// Makes sure that a `STOR` without a byte, which the server has confirmed, has left an empty file. Some servers make
    /// none, and some leave an old one as it was. Asked once per client; a server of which it is known costs nothing.
    ///
    /// - Throws: `unsupported` where there is no way to an empty file.
    func confirmEmptyFile(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        switch server.known.emptyFiles {
        case .made:
            return
        case .madeByAppending:
            try appendNothing(path, cancellation)
        case .notMade:
            if try !isEmptyFile(path, cancellation) { throw Self.noEmptyFiles }
        case .untried:
            if try isEmptyFile(path, cancellation) {
                server.learn { $0.emptyFiles = .made }
                return
            }
            do throws(FTPError) {
                try appendNothing(path, cancellation)
            } catch {
                guard error.refusal != nil else { throw error }
            }
            let isThere = try isEmptyFile(path, cancellation)
            server.learn { $0.emptyFiles = isThere ? .madeByAppending : .notMade }
            logger.notice("[\(control.id)] STOR without a byte makes no file here")
            if !isThere { throw Self.noEmptyFiles }
        }
    }

    private static let noEmptyFiles = FTPError.unsupported("make an empty file")

    private func appendNothing(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) {
        let transfer = try beginTransfer(Command("APPE", try wirePath(ofNew: path, cancellation)), cancellation)
        try transfer.finish(cancellation)
    }

    private func isEmptyFile(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Bool {
        guard let entry = try status(of: path, cancellation) else { return false }
        return entry.kind == .file && entry.size ?? 0 == 0
    }
}

/// Where the bytes of a ``WriteStream`` go.
package enum WriteMode: Hashable, Sendable {
    /// They become the whole content (`STOR`).
    case replace
    /// They follow the present content (`APPE`).
    case append
}
