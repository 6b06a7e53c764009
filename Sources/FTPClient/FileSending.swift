@preconcurrency import Glibc
import SystemPackage
import Threading
import Vocabulary

/// The beginning of an upload (``UploadHead``).
///
/// On a data connection that is there already (`Session+Armed.swift`) it goes out right behind the command, on another one
/// as soon as that is there, on servers known to leave it in the socket until they want it; a small file is then on the
/// server after one round trip. What did not go, for whatever reason, goes when the server has said 150.
extension UploadHead {
    /// Sends what the socket takes without waiting, and says that this was all, if it was.
    ///
    /// - Returns: how many bytes. What went wrong, the server's reply and the next bytes will tell.
    func push(over data: SocketTransport) -> Int64 {
        let signal = SuppressedPipeSignal()
        defer { signal.restore() }
        var offset = off_t(range.lowerBound)
        while let file, offset < range.upperBound {
            let count = sendfile(
                data.descriptor.rawValue, file, &offset, Int(range.upperBound - Int64(offset)))
            if count <= 0, count == 0 || errno != EINTR { break }
        }
        let sent = Int64(offset) - range.lowerBound
        if isAll, offset == range.upperBound {
            try? data.finishWriting(Wait(.dataTransfer, for: .zero, Cancellation()))
        }
        return sent
    }
}

extension Transfer {
    /// How much one `sendfile` may move, so that a cancellation is seen soon also on a fast link.
    private static let pieceLength = 1024 * 1024

    /// Sends a range of a local file; returns when the last byte has been handed to the network.
    func send(from file: FileDescriptor, _ range: Range<Int64>, _ cancellation: Cancellation) throws(FTPError) {
        if let socket = plainDescriptor {
            try sendDirectly(file, range, socket, cancellation)
        } else {
            try sendCopied(file, range, cancellation)
        }
    }

    private func sendDirectly(
        _ file: FileDescriptor, _ range: Range<Int64>, _ socket: FileDescriptor, _ cancellation: Cancellation
    ) throws(FTPError) {
        let signal = SuppressedPipeSignal()
        defer { signal.restore() }
        var offset = off_t(range.lowerBound)
        while offset < range.upperBound {
            if cancellation.isCancelled { throw .cancelled }
            let count = sendfile(
                socket.rawValue, file.rawValue, &offset,
                Int(min(range.upperBound - Int64(offset), Int64(Self.pieceLength))))
            if count > 0 {
                session.noteSent(count)
                continue
            }
            if count == 0 {
                throw .localFailure(.ioError, doing: "reading a spool file that is shorter than it should be")
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: try waitForRoom(cancellation)
            case EPIPE, ECONNRESET, ETIMEDOUT, ENOTCONN:
                throw .connectionLost(.afterCommand, reason: "the data connection: \(Errno(rawValue: errno))")
            case EINVAL, ENOSYS:
                // A file system that sendfile(2) does not read from.
                try sendCopied(file, Int64(offset)..<range.upperBound, cancellation)
                return
            default: throw .localFailure(Errno(rawValue: errno), doing: "sendfile")
            }
        }
    }

    private func sendCopied(
        _ file: FileDescriptor, _ range: Range<Int64>, _ cancellation: Cancellation
    ) throws(FTPError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 4096)
        defer { buffer.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let wanted = Int(min(range.upperBound - offset, Int64(buffer.count)))
            let count = pread(file.rawValue, buffer.baseAddress, wanted, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw .localFailure(count < 0 ? Errno(rawValue: errno) : .ioError, doing: "reading the spool file")
            }
            try checkEarlyReply()
            try write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), cancellation)
            offset += Int64(count)
        }
    }
}

/// Keeps SIGPIPE from this thread: `sendfile(2)` has no flag for that, and its callers' threads are not this program's.
private struct SuppressedPipeSignal {
    private var before = sigset_t()
    private var pipe = sigset_t()

    init() {
        sigemptyset(&pipe)
        sigaddset(&pipe, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &pipe, &before)
    }

    /// Takes a signal that came off the queue, and lets the thread have its mask back.
    func restore() {
        var (pipe, before) = (pipe, before)
        if sigismember(&before, SIGPIPE) == 0 {
            var noTime = timespec()
            while sigtimedwait(&pipe, nil, &noTime) > 0 {}
        }
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }
}
