import CLinux
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The two ends of a pipe(7) that are closed on exec.
struct Pipe {
    let readEnd: FileDescriptor
    let writeEnd: FileDescriptor

    /// Makes a pipe.
    init() throws(MountFailure) {
        var ends: [Int32] = [-1, -1]
        guard clinux_pipe_cloexec(&ends) == 0 else {
            throw MountFailure(.system, "no pipe can be made: \(Errno(rawValue: errno))")
        }
        readEnd = FileDescriptor(rawValue: ends[0])
        writeEnd = FileDescriptor(rawValue: ends[1])
    }
}

extension FileDescriptor {
    /// Everything up to the end, or up to the deadline.
    ///
    /// - Returns: the bytes, and whether the end was reached.
    func readToEnd(until deadline: Deadline) -> (bytes: [UInt8], isComplete: Bool) {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            var poller = pollfd(fd: rawValue, events: Int16(POLLIN), revents: 0)
            let ready = poll(&poller, 1, deadline.pollTimeout)
            if ready < 0, errno == EINTR { continue }
            guard ready > 0 else { return (bytes, false) }
            guard let count = try? buffer.withUnsafeMutableBytes({ try read(into: $0) }) else { return (bytes, false) }
            if count == 0 { return (bytes, true) }
            bytes += buffer[..<count]
        }
    }
}
