import CLinux
@preconcurrency import Glibc
import SystemPackage
import Threading

/// How long one wait may last and who may end it early.
struct Wait {
    /// What the error says when the deadline passes.
    let phase: FTPError.Phase
    let deadline: Deadline
    let cancellation: Cancellation

    init(_ phase: FTPError.Phase, until deadline: Deadline, _ cancellation: Cancellation) {
        self.phase = phase
        self.deadline = deadline
        self.cancellation = cancellation
    }

    init(_ phase: FTPError.Phase, for span: Duration, _ cancellation: Cancellation) {
        self.init(phase, until: .after(span), cancellation)
    }
}

/// What `poll(2)` may report of one descriptor.
struct Readiness: OptionSet {
    let rawValue: Int16

    static let input = Readiness(rawValue: Int16(POLLIN))
    static let output = Readiness(rawValue: Int16(POLLOUT))
    /// An error or a hang-up; reported whether asked for or not.
    static let broken = Readiness(rawValue: Int16(POLLERR) | Int16(POLLHUP) | Int16(POLLNVAL))
}

extension Wait {
    /// A place in the list of ``poll(_:)`` that is never ready: poll(2) skips negative descriptors.
    static var nothing: (FileDescriptor, Readiness) { (FileDescriptor(rawValue: -1), []) }

    /// Waits in `poll(2)` until one of the descriptors is ready.
    ///
    /// - Returns: what is ready, in the order of `descriptors`; not all empty.
    /// - Throws: `cancelled`, `timedOut(phase)`, or `localFailure`.
    func poll(_ descriptors: [(FileDescriptor, Readiness)]) throws(FTPError) -> [Readiness] {
        var entries = descriptors.map { pollfd(fd: $0.0.rawValue, events: $0.1.rawValue, revents: 0) }
        let cancelled = cancellation.descriptor()
        // poll(2) skips negative descriptors.
        entries.append(pollfd(fd: cancelled?.rawValue ?? -1, events: Int16(POLLIN), revents: 0))
        while true {
            let ready = Glibc.poll(&entries, nfds_t(entries.count), deadline.pollTimeout)
            if ready < 0 {
                if errno == EINTR { continue }
                throw .localFailure(Errno(rawValue: errno), doing: "poll")
            }
            if entries[entries.count - 1].revents != 0 || cancellation.isCancelled { throw .cancelled }
            if ready > 0 { return entries.dropLast().map { Readiness(rawValue: $0.revents) } }
            if deadline.hasPassed { throw .timedOut(phase) }
        }
    }

    /// Waits until one descriptor is ready for what is asked, or broken.
    func poll(_ descriptor: FileDescriptor, _ readiness: Readiness) throws(FTPError) {
        _ = try poll([(descriptor, readiness)])
    }
}
