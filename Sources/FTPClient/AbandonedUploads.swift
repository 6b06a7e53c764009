import Threading

/// The data connections of uploads that were broken off because nothing was heard of the server any more.
///
/// What such an upload has still in the kernel's buffer must never arrive: whoever goes on looks how long the file is, and
/// would find bytes behind that which nobody has counted. A reset takes care of that at both ends, but it is one packet that
/// is never repeated. Sent while the path is gone it is lost; the server then holds the file, and a lock on it, until
/// limits of its own that may be minutes away. So the socket is kept until a connection shows that the path is there
/// again, and reset then, before anything is asked about the file.
final class AbandonedUploads: Sendable {
    private let sockets = Monitor<[any Transport]>([])

    /// More than there may be connections: an outage that takes more uploads than that along has new ones in it.
    private static let capacity = 64

    deinit { reset() }

    /// Keeps the connection, which nobody uses any more.
    func keep(_ socket: any Transport) {
        let oldest = sockets.withLock { sockets -> (any Transport)? in
            sockets.append(socket)
            return sockets.count > Self.capacity ? sockets.removeFirst() : nil
        }
        oldest?.close(abortively: true)
    }

    /// The path is there: resets them all. Does not block.
    func reset() {
        let all = sockets.withLock { sockets -> [any Transport] in
            defer { sockets = [] }
            return sockets
        }
        for socket in all { socket.close(abortively: true) }
    }
}
