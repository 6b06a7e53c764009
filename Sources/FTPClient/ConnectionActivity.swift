import FTPProtocol
import Synchronization
import SystemPackage
import Threading

/// What one control connection is doing, for whoever asks from another thread.
///
/// Only the holder of a session may touch it; so what others may know is noted here, in passing: the last command, what
/// has moved since, TLS. A note costs an uncontended lock for each command and an addition for each piece of data.
final class ConnectionActivity: Sendable {
    /// The notes at one moment.
    struct Notes: Sendable {
        /// The last command that went out.
        var command: Command?
        var since: Instant
        /// How long the file of the transfer is, and where the transfer begins in it.
        var expected: (size: Int64, offset: Int64)?
        var tls: ConnectionReport.Encryption?
    }

    /// The other end; `nil` when the socket does not say.
    let peer: SocketAddress?
    private let notes: Monitor<Notes>
    private let bytes = Atomic<Int64>(0)

    /// - Parameter descriptor: a connected socket.
    init(_ descriptor: FileDescriptor) {
        peer = try? SocketAddress.peer(of: descriptor)
        notes = Monitor(Notes(since: .now))
    }

    /// A command goes out. The argument of a secret one is not kept.
    func began(_ command: Command) {
        let shown = command.isSecret ? Command(command.verb, nil, isSecret: true) : command
        notes.withLock { notes in
            notes.command = shown
            notes.since = .now
            notes.expected = nil
        }
        bytes.store(0, ordering: .relaxed)
    }

    /// The transfer under way is to bring a file from an offset on.
    func expects(size: Int64?, from offset: Int64) {
        notes.withLock { $0.expected = size.map { ($0, offset) } }
    }

    /// The connection is encrypted from now on.
    func secured(_ version: TLSSettings.Version, _ cipher: String) {
        notes.withLock { $0.tls = .init(version: version, cipher: cipher) }
    }

    /// Bytes of the transfer have moved.
    func moved(_ count: Int) { bytes.wrappingAdd(Int64(count), ordering: .relaxed) }

    /// What is noted now, and how many bytes have moved since the last command.
    var snapshot: (notes: Notes, bytes: Int64) { (notes.withLock { $0 }, bytes.load(ordering: .relaxed)) }
}

/// How many bytes of files and listings all connections of a client have moved since the beginning.
final class TransferTotals: Sendable {
    private let receivedBytes = Atomic<Int64>(0)
    private let sentBytes = Atomic<Int64>(0)

    var received: Int64 { receivedBytes.load(ordering: .relaxed) }
    var sent: Int64 { sentBytes.load(ordering: .relaxed) }

    func noteReceived(_ count: Int) { receivedBytes.wrappingAdd(Int64(count), ordering: .relaxed) }
    func noteSent(_ count: Int) { sentBytes.wrappingAdd(Int64(count), ordering: .relaxed) }
}

extension Session {
    /// Notes bytes that have come over a data connection.
    func noteReceived(_ count: Int) {
        control.activity.moved(count)
        server.totals.noteReceived(count)
    }

    /// Notes bytes that have been handed to a data connection.
    func noteSent(_ count: Int) {
        control.activity.moved(count)
        server.totals.noteSent(count)
    }
}
