import FTPProtocol
import Logging
import Threading
import Vocabulary

extension Session {
    /// Begins to write a file.
    ///
    /// - Parameter question: what has to be known of its size before; not with `.replace` and `.over`.
    /// - Throws: `unsupported` when the server has no command for that mode.
    func openWrite(
        _ path: RemotePath, _ mode: WriteMode, head: UploadHead? = nil, size question: SizeQuestion = .none,
        _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        try useImageType(cancellation)
        let wire = try wirePath(ofNew: path, cancellation)
        sizeTold = .unknown
        let look = SizeLook(question, path, wire)
        switch mode {
        case .replace:
            return try beginTransfer(Command("STOR", wire), head: head, cancellation)
        case .append:
            return try openAppend(path, wire, look, head, cancellation)
        case .at(let offset):
            guard offset > 0 else { throw .invalidArgument("writing into a file from its first byte on") }
            guard server.known.hasRestart else { throw .unsupported("write into the middle of a file (REST)") }
            return try beginTransfer(Command("STOR", wire), at: offset, look: look, head: head, cancellation)
        case .over(let count):
            return try openStart(wire, count, head, cancellation)
        }
    }

    /// `RANG` and `STOR`: the only way to say that a transfer begins at byte 0 and that the rest stays (draft-bryan-ftp-range
    /// §3; that it counts for `STOR` too is ProFTPD's own).
    private func openStart(
        _ wire: [UInt8], _ count: Int64, _ head: UploadHead?, _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        let missing = FTPError.unsupported("write over the beginning of a file (RANG)")
        guard server.known.storesRanges, count > 0 else { throw missing }
        do throws(FTPError) {
            return try beginTransfer(
                Command("STOR", wire), behind: Command("RANG", "0 \(count - 1)"), head: head, cancellation)
        } catch {
            guard case .refused("RANG", _) = error else { throw error }
            server.learn { $0.storesRanges = false }
            throw missing
        }
    }

    /// What is known of an upload that was broken off.
    enum UploadEnd: Hashable {
        /// The server has ended it: its final reply has been read, or the answers to `ABOR` and to what was asked behind that.
        /// Both are given when the file is closed (RFC 959 §4.1.3, §5.4).
        case over
        /// The control connection was lost before. The server may read on from the data connection, which it does not tell
        /// from an ordinary one.
        case unknown
    }

    /// Waits until the server is done with an upload that was broken off, at most `timeouts.recovery`.
    ///
    /// It may still be writing what it had received. Who sends the file anew, removes it, or looks how much of it has
    /// arrived, must not do that beside it: the old bytes would come behind the new ones.
    @discardableResult
    func settleUpload() -> UploadEnd {
        let isOpen = hasOpenTransfer || control.outstanding.map { Command($0).isUpload } == true
        if condition == .outOfStep {
            do throws(FTPError) {
                try recover(Cancellation())
            } catch {
                control.fail(error)
            }
        }
        return isOpen && control.isClosed ? .unknown : .over
    }

    /// `APPE`; `STOR` for a file that is not there, where the server does not make one to append to.
    ///
    /// `REST` and `STOR` would append too, but a server that does not heed `REST` here cuts the file: without a proof that
    /// it does, the whole content is sent anew, and that is for the caller to do.
    private func openAppend(
        _ path: RemotePath, _ wire: [UInt8], _ look: SizeLook?, _ head: UploadHead?, _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        let missing = FTPError.unsupported("append to files (it has no APPE)")
        guard server.known.hasAppend else { throw missing }
        do throws(FTPError) {
            return try beginTransfer(Command("APPE", wire), look: look, head: head, cancellation)
        } catch {
            // 501 may be about this one path; the others are about the command.
            if error.isNotImplemented, error.refusal?.code != 501 {
                server.learn { _ = $0.strikeOut("APPE") }
                throw missing
            }
            guard error.refusal?.category == .permanentNegative, try status(of: path, cancellation) == nil else {
                throw error
            }
            return try beginTransfer(Command("STOR", wire), head: head, cancellation)
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
    /// They take the place of what is there from this offset on, which is more than 0 (`REST`, `STOR`: RFC 3659 §5).
    case at(Int64)
    /// They take the place of the first bytes, of exactly this many (`RANG`, `STOR`).
    case over(Int64)
}
