import FTPProtocol
import Logging
import Threading
import Vocabulary

extension Session {
    /// Begins to read a file at a byte offset.
    ///
    /// On a server without `REST` the file is read from its beginning and what comes before the offset thrown away.
    func openRead(_ path: RemotePath, at offset: Int64, _ cancellation: Cancellation) throws(FTPError) -> Transfer {
        try useImageType(cancellation)
        let command = Command("RETR", try wirePath(path, cancellation))
        if server.known.hasRestart {
            do throws(FTPError) {
                return try beginTransfer(command, at: offset, cancellation)
            } catch {
                // Learned just now that there is no REST.
                guard case .unsupported = error, !server.known.hasRestart else { throw error }
            }
        }
        let transfer = try beginTransfer(command, cancellation)
        do throws(FTPError) {
            try Self.skip(offset, of: transfer, cancellation)
            return transfer
        } catch {
            transfer.abandon(abortively: true)
            throw error
        }
    }

    private static func skip(_ count: Int64, of transfer: Transfer, _ cancellation: Cancellation) throws(FTPError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)
        defer { buffer.deallocate() }
        var left = count
        while left > 0 {
            let piece = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(left, Int64(buffer.count)))])
            let received = try transfer.read(into: piece, cancellation)
            // A file that ends before the offset: the reader will see its end next.
            if received == 0 { return }
            left -= Int64(received)
        }
    }

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
