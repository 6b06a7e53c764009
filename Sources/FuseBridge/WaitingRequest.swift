import CFuseBridge
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A request of a program that has not been answered yet; a copy, for whoever wants to know what hangs.
package struct WaitingRequest: Hashable, Sendable {
    /// What it asks for, in the words of the log.
    package let operation: String
    /// The thread that waits, as in /proc; 0 when it is not visible from here.
    package let process: Int32
    /// Its name (proc(5), `comm`), made fit for a terminal; `nil` when it cannot be read.
    package let program: String?
    /// How long it has waited.
    package let age: Duration
}

extension FuseSession {
    /// How many requests have not been answered, and the oldest of them, oldest first. Asks nobody but /proc, and blocks for
    /// no longer than a look takes.
    ///
    /// - Parameter count: how many are described.
    package func waitingRequests(atMost count: Int) -> (all: Int, oldest: [WaitingRequest]) {
        let now = Instant.now
        let open = openRequests.sorted { $0.begun < $1.begun }
        let oldest = open.prefix(count).map { request in
            WaitingRequest(
                operation: request.operation.rawValue, process: request.process,
                program: Self.program(request.process), age: now.since(request.begun))
        }
        return (open.count, oldest)
    }

    /// The name of a process: 15 bytes at most.
    private static func program(_ process: Int32) -> String? {
        guard process > 0 else { return nil }
        let file = open("/proc/\(process)/comm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        return withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { room in
            let count = Glibc.read(file, room.baseAddress, room.count)
            guard count > 1 else { return nil }
            return printable(room[..<(count - 1)])
        }
    }
}
