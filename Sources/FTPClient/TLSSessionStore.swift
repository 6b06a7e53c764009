import COpenSSL
@preconcurrency import Glibc
import Threading

/// The TLS sessions of one control connection, for its data connections to resume (RFC 8446 §4.6.1, RFC 5077).
///
/// A server that demands this wants to see that both come from the same client, and takes no session of another control
/// connection; hence one store each, never shared.
///
/// - The newest session is used. Those of TLS 1.3 are for one use (RFC 8446 §C.4), and servers may hold to that: such a
///   one is taken out, and the servers send another on the data connection that used it. The last one is kept: using
///   it twice is better than none.
/// - Each connection gets a copy. OpenSSL marks the session of a connection that ended in disorder as not to be resumed,
///   and a download that was broken off must not take the session of its control connection with it.
final class TLSSessionStore: Sendable {
    private struct State {
        /// Oldest first.
        var sessions: [TLSSession] = []
        /// Whether the only one left has been used.
        var isLastUsed = false
    }

    /// More than servers send for a handshake (OpenSSL two, others up to eight); older ones are of no use.
    private static let capacity = 16

    private let state = Monitor(State())

    /// Keeps a copy of what the server has just issued. Called by OpenSSL while it reads, on the reader's thread.
    func add(copyOf session: OpaquePointer) {
        guard let copy = TLSSession(copying: session) else { return }
        state.withLock { state in
            if state.isLastUsed || !copy.isForOneUse { state.sessions.removeAll() }
            state.isLastUsed = false
            state.sessions.append(copy)
            if state.sessions.count > Self.capacity { state.sessions.removeFirst() }
        }
    }

    /// The session for the next data connection, with a copy of its own; `nil` when the server has issued none.
    func next() -> TLSSession? {
        let session = state.withLock { state -> TLSSession? in
            guard let newest = state.sessions.last else { return nil }
            if newest.isForOneUse, state.sessions.count > 1 {
                state.sessions.removeLast()
            } else {
                state.isLastUsed = newest.isForOneUse
            }
            return newest
        }
        return session.flatMap { TLSSession(copying: $0.pointer) }
    }

    /// Whether the server has issued sessions and none of them can be resumed any more.
    func hasExpired(at seconds: Int) -> Bool {
        state.withLock { state in
            guard let newest = state.sessions.last else { return false }
            return seconds >= newest.expiry
        }
    }
}

/// One session, as OpenSSL keeps it.
final class TLSSession: @unchecked Sendable {
    // Nobody changes an SSL_SESSION through this reference, and its count of references is atomic; that is what makes
    // `@unchecked Sendable` true.
    let pointer: OpaquePointer

    /// `nil` without memory.
    init?(copying session: OpaquePointer) {
        guard let copy = SSL_SESSION_dup(session) else { return nil }
        pointer = copy
    }

    deinit { SSL_SESSION_free(pointer) }

    /// Whether it should be used only once.
    var isForOneUse: Bool { SSL_SESSION_get_protocol_version(pointer) >= TLS1_3_VERSION }

    /// When the server may have forgotten it, in seconds since 1970. Where it has not said so, two hours, which is
    /// OpenSSL's own assumption.
    var expiry: Int {
        let announced = Int(clamping: SSL_SESSION_get_ticket_lifetime_hint(pointer))
        let lifetime = announced > 0 ? announced : SSL_SESSION_get_timeout(pointer)
        let (sum, overflow) = SSL_SESSION_get_time(pointer).addingReportingOverflow(lifetime)
        return overflow ? Int.max : sum
    }
}
