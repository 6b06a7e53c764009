import FTPProtocol
import Logging
import Threading
import Vocabulary

/// Reading from the middle of a file, on servers that can do it, that cannot, and that only say they can.
///
/// `REST` that is answered with 350 and then ignored gives wrong bytes without any error. So on a server that is not known
/// for doing it right it is tried first, once per client (and once more for offsets above 2 GiB and above 4 GiB, where
/// 32 bits end): the last byte of the file is asked for, and one byte must come. What shows later, by the length of a
/// transfer, counts as well (``Transfer/finish(_:)``). Where `REST` is missing or broken the file is read from its beginning and
/// what comes before the offset is thrown away, up to ``maximumSkip``.
extension Session {
    /// How much is read for nothing where `REST` does not work, in bytes: some seconds on a usual link. More would look
    /// like a hang, and cost more than whoever reads a few bytes would ever want to pay.
    static let maximumSkip: Int64 = 64 * 1024 * 1024

    /// Begins to read a file at a byte offset.
    ///
    /// - Parameter size: the size of the file as far as it is known.
    /// - Throws: `unsupported` where there is no way to that offset.
    func openRead(
        _ path: RemotePath, at offset: Int64, size: Int64? = nil, _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        try useImageType(cancellation)
        let command = Command("RETR", try wirePath(path, cancellation))
        if offset == 0 {
            let transfer = try beginTransfer(command, cancellation)
            transfer.expect(size: size, from: 0)
            return transfer
        }
        if server.known.hasRestart {
            do throws(FTPError) {
                if try mayRestart(path, command, at: offset, size: size, cancellation) {
                    let transfer = try beginTransfer(command, at: offset, cancellation)
                    transfer.expect(size: size, from: offset)
                    return transfer
                }
            } catch {
                // Learned just now that there is no REST.
                guard case .unsupported = error, !server.known.hasRestart else { throw error }
                try takeBackCommand(cancellation)
            }
        }
        return try openReadSkipping(command, offset, size, cancellation)
    }

    /// Whether `REST` with this offset can be believed; tries it out where that is not known.
    private func mayRestart(
        _ path: RemotePath, _ command: Command, at offset: Int64, size: Int64?, _ cancellation: Cancellation
    ) throws(FTPError) -> Bool {
        switch server.known.restart.trust(in: offset) {
        case .proven: return true
        case .broken: return false
        case .unknown: break
        }
        // Without the size nothing could be told apart.
        guard var size else { return true }
        // A second try is for a file that has grown since its size was asked.
        for _ in 0..<2 {
            // With this file it has been tried in vain.
            if server.known.restart.trust(in: size - 1) == .broken { return false }
            // The first byte can be had without REST, so it proves nothing; so small a file can be read whole.
            guard size > 1 else { return offset >= size }
            let received = try receiveLastByte(command, size, cancellation)
            let probed = size - 1
            if received == 1 {
                server.learn { $0.restart.noteProven(at: probed) }
                return server.known.restart.trust(in: min(offset, probed)) == .proven
            }
            guard let now = try self.size(of: path, cancellation), now != size else { break }
            size = now
        }
        let probed = size - 1
        server.learn { $0.restart.noteBroken(at: probed) }
        logger.warning("[\(control.id)] the server confirms REST but does not heed it; reading files from their start")
        return false
    }

    /// Asks for the last byte of a file.
    ///
    /// - Returns: how many bytes came; 2 for any more than one.
    private func receiveLastByte(
        _ command: Command, _ size: Int64, _ cancellation: Cancellation
    ) throws(FTPError) -> Int {
        let transfer = try beginTransfer(command, at: size - 1, cancellation)
        var count = 0
        do throws(FTPError) {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2, alignment: 1)
            defer { buffer.deallocate() }
            while count < 2 {
                let free = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
                let received = try transfer.read(into: free, cancellation)
                if received == 0 {
                    try transfer.finish(cancellation)
                    return count
                }
                count += received
            }
        } catch {
            transfer.abandon(abortively: true)
            throw error
        }
        transfer.abandon(abortively: true)
        try recover(cancellation)
        return count
    }

    // MARK: - The command

    /// Sends a transfer command, and before it where the transfer begins.
    ///
    /// `REST` and `RETR` go out together where the server is known to take that, and to heed such offsets: what a refused
    /// `REST` would make of the `RETR` is then seen by ``checkRestart()`` before the first byte is used. In front of an upload
    /// its answer is awaited: a refused one would cut the file.
    ///
    /// - Parameter look: a look at the size of the file, in the flight of the first of these commands.
    func send(
        _ command: Command, at offset: Int64, _ look: SizeLook? = nil, _ cancellation: Cancellation
    ) throws(FTPError) {
        guard offset > 0 || hasPendingRestart else { return try send(command, behind: look, cancellation) }
        let rest = Command("REST", String(offset))
        guard sendsTogether, !command.isUpload, server.known.restart.trust(in: offset) == .proven else {
            // Who gives up before the answer comes, leaves a REST behind that the next transfer would follow.
            hasPendingRestart = true
            let size = try exchange(rest, behind: look, cancellation) { takeRestartReply($0, offset) }
            try checkRestart()
            try look?.judge(size, of: self)
            return try control.begin(command, cancellation)
        }
        hasPendingRestart = true
        let taker: (Reply) -> Void = { [weak self] reply in self?.takeRestartReply(reply, offset) }
        try control.begin(command, behind: (rest, taker), cancellation)
    }

    /// Takes the answer to a `REST`. One whose transfer is refused may still count, so it is then taken back by `REST 0`,
    /// whose own answer does not matter.
    private func takeRestartReply(_ reply: Reply, _ offset: Int64) {
        let isAccepted = reply.category == .intermediate || reply.category == .completion
        hasPendingRestart = isAccepted && offset > 0
        restartRefusal = isAccepted || offset == 0 ? nil : reply
    }

    /// Looks whether the last `REST` was accepted.
    func checkRestart() throws(FTPError) {
        guard let reply = restartRefusal else { return }
        restartRefusal = nil
        let refusal = FTPError.refused(verb: "REST", reply)
        guard refusal.isNotImplemented else { throw refusal }
        server.learn { $0.hasRestart = false }
        throw .unsupported("begin a transfer in the middle of a file (REST)")
    }

    // MARK: - Without it

    private func openReadSkipping(
        _ command: Command, _ offset: Int64, _ size: Int64?, _ cancellation: Cancellation
    ) throws(FTPError) -> Transfer {
        guard offset <= Self.maximumSkip else {
            throw .unsupported(
                "begin a transfer in the middle of a file (REST), and \(offset) bytes are too many to read for nothing")
        }
        let transfer = try beginTransfer(command, cancellation)
        transfer.expect(size: size, from: 0)
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
}
