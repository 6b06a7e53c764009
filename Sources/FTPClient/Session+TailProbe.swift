import FTPProtocol
import Logging
import Threading
import Vocabulary

/// Finds out what a server does to the rest of a file when a part in its middle is written.
extension Session {
    /// What is written first, and what then goes over its middle: 16 bytes and 4.
    private static let whole = Array("0123456789abcdef".utf8)
    private static let patch = Array("WXYZ".utf8)
    private static let offset = 6

    /// Tries it with a file of this name, and removes that again.
    ///
    /// The content is read back: some servers keep the length and put zeros before the place, others ignore the `REST`.
    ///
    /// - Throws: when no such file can be made, and what a lost connection throws.
    func keepsTail(scratch: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> Bool {
        try write(Self.whole, to: scratch, .replace, cancellation)
        let content: [UInt8]?
        do throws(FTPError) {
            try write(Self.patch, to: scratch, .at(Int64(Self.offset)), cancellation)
            content = try read(scratch, cancellation)
        } catch {
            if control.isClosed { throw error }
            content = nil
        }
        do throws(FTPError) {
            try removeFile(scratch, cancellation)
        } catch {
            logger.notice("[\(control.id)] the scratch file \(scratch) could not be removed: \(error)")
        }
        let expected =
            Self.whole[..<Self.offset] + Self.patch + Self.whole[(Self.offset + Self.patch.count)...]
        return content == Array(expected)
    }

    private func write(
        _ bytes: [UInt8], to path: RemotePath, _ mode: WriteMode, _ cancellation: Cancellation
    ) throws(FTPError) {
        let transfer = try openWrite(path, mode, cancellation)
        do throws(FTPError) {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
            defer { buffer.deallocate() }
            buffer.copyBytes(from: bytes)
            try transfer.write(UnsafeRawBufferPointer(buffer), cancellation)
            try transfer.finish(cancellation)
        } catch {
            transfer.abandon(abortively: true)
            throw error
        }
    }

    private func read(_ path: RemotePath, _ cancellation: Cancellation) throws(FTPError) -> [UInt8] {
        let transfer = try openRead(path, at: 0, cancellation)
        do throws(FTPError) {
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Self.whole.count, alignment: 1)
            defer { buffer.deallocate() }
            var bytes: [UInt8] = []
            while bytes.count <= Self.whole.count {
                let count = try transfer.read(into: buffer, cancellation)
                if count == 0 { break }
                bytes += buffer[..<count]
            }
            try transfer.finish(cancellation)
            return bytes
        } catch {
            transfer.abandon(abortively: true)
            throw error
        }
    }
}
