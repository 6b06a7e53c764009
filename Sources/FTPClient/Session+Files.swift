import FTPProtocol
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
    func openWrite(_ path: RemotePath, _ mode: WriteMode, _ cancellation: Cancellation) throws(FTPError) -> Transfer {
        try useImageType(cancellation)
        let verb = mode == .replace ? "STOR" : "APPE"
        return try beginTransfer(Command(verb, try wirePath(path, cancellation)), cancellation)
    }
}

/// Where the bytes of a ``WriteStream`` go.
package enum WriteMode: Hashable, Sendable {
    /// They become the whole content (`STOR`).
    case replace
    /// They follow the present content (`APPE`).
    case append
}
