import CLinux
@preconcurrency import Glibc
import SystemPackage
import Threading

/// Tells when something comes in on control connections that nobody holds: the answer to a deferred command
/// (`Session+Armed.swift`).
///
/// An epoll(7) instance whose entries report once. Any thread adds entries, without waiting; one thread waits. A descriptor
/// that is closed is forgotten by the kernel.
final class ReplyWatch: Sendable {
    private let descriptor: FileDescriptor
    /// Ends the wait.
    private let ending: Cancellation

    /// - Returns: `nil` when the process has no descriptor left.
    init?(ending: Cancellation) {
        let raw = clinux_epoll_create()
        guard raw >= 0 else { return nil }
        descriptor = FileDescriptor(rawValue: raw)
        self.ending = ending
        if let event = ending.descriptor() { watch(event, as: 0) }
    }

    deinit { try? descriptor.close() }

    /// Reports a connection once, when something has come in on it. An earlier wish for the same one is replaced.
    ///
    /// - Parameter id: its number, more than 0.
    func watch(_ connection: FileDescriptor, as id: Int) {
        // Where it fails, the answer is read by whoever uses the connection next.
        _ = clinux_epoll_watch_once(descriptor.rawValue, connection.rawValue, UInt64(clamping: id))
    }

    /// Waits for the next report.
    ///
    /// - Returns: the number of a connection; `nil`: no more will come.
    func next() -> Int? {
        var data: UInt64 = 0
        while !ending.isCancelled {
            let count = clinux_epoll_wait_one(descriptor.rawValue, &data)
            if count < 0, errno != EINTR { return nil }
            if count == 1, data > 0 { return Int(clamping: data) }
        }
        return nil
    }
}
