import COpenSSL
@preconcurrency import Glibc
import SystemPackage

/// OpenSSL's way to a socket. Its own one writes with `write(2)`, which raises SIGPIPE when the peer is gone, and
/// leaves `errno` to whatever happens before somebody looks.
enum SocketBIO {
    /// The socket of one connection, and what happened at it last.
    final class Wire {
        let descriptor: FileDescriptor
        /// Why the last call failed, unless it only had to wait.
        var failure: Errno?
        /// Whether the other side has ended its direction.
        var hasEnded = false

        init(_ descriptor: FileDescriptor) {
            self.descriptor = descriptor
        }
    }

    /// A BIO over the wire, which must outlive it. `nil` without memory.
    static func make(_ wire: Wire) -> OpaquePointer? {
        guard let method, let bio = BIO_new(method) else { return nil }
        BIO_set_data(bio, Unmanaged.passUnretained(wire).toOpaque())
        BIO_set_init(bio, 1)
        return bio
    }

    // Safe, because it is complete before anybody can see it, is never changed after that, and never freed.
    nonisolated(unsafe) private static let method: OpaquePointer? = {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "ftpfs socket") else { return nil }
        BIO_meth_set_write_ex(method) { bio, bytes, count, written in
            guard let bio, let written else { return 0 }
            written.pointee = transfer(bio, BIO_FLAGS_WRITE) { Glibc.send($0, bytes, count, Int32(MSG_NOSIGNAL)) } ?? 0
            return written.pointee > 0 ? 1 : 0
        }
        BIO_meth_set_read_ex(method) { bio, bytes, count, filled in
            guard let bio, let filled else { return 0 }
            let received = transfer(bio, BIO_FLAGS_READ) { recv($0, bytes, count, 0) }
            if received == 0 { wire(of: bio)?.hasEnded = true }
            filled.pointee = received ?? 0
            return filled.pointee > 0 ? 1 : 0
        }
        // Nothing is held back, so a flush is done at once. Every other question is answered with no.
        BIO_meth_set_ctrl(method) { _, command, _, _ in command == BIO_CTRL_FLUSH ? 1 : 0 }
        return method
    }()

    private static func wire(of bio: OpaquePointer) -> Wire? {
        BIO_get_data(bio).map { Unmanaged<Wire>.fromOpaque($0).takeUnretainedValue() }
    }

    /// One system call on the socket; `nil` when it has to be made again later, or failed.
    private static func transfer(_ bio: OpaquePointer, _ direction: Int32, _ call: (Int32) -> Int) -> Int? {
        BIO_clear_flags(bio, BIO_FLAGS_READ | BIO_FLAGS_WRITE | BIO_FLAGS_SHOULD_RETRY)
        guard let wire = wire(of: bio) else { return nil }
        while true {
            let count = call(wire.descriptor.rawValue)
            if count >= 0 { return count }
            switch errno {
            case EINTR:
                continue
            case EAGAIN:
                BIO_set_flags(bio, direction | BIO_FLAGS_SHOULD_RETRY)
            default:
                wire.failure = Errno(rawValue: errno)
            }
            return nil
        }
    }
}
