import FTPProtocol
import Threading
import Vocabulary

/// What the trials of a probe share: the session, the scratch directory, and ways to move a few bytes.
///
/// One thread.
final class ProbeRun {
    let configuration: ClientConfiguration
    /// What ends a trial early; while cleaning up nothing does.
    private(set) var cancellation: Cancellation
    let server: SharedServer
    /// Where files may be made; `nil` until that has been tried, and where it failed.
    private(set) var scratch: RemotePath?
    private var current: Session?
    private var lastID = 0
    private var observedTLS: TLSObservation?
    /// What moves at a time; the size is that of the client's other buffers for data.
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 16)

    init(_ configuration: ClientConfiguration, _ cancellation: Cancellation) {
        self.configuration = configuration
        self.cancellation = cancellation
        server = SharedServer(configuration)
    }

    deinit { buffer.deallocate() }

    /// The session of most trials; another one when the last trial has spoilt it.
    func session() throws(FTPError) -> Session {
        if let current, current.condition == .usable { return current }
        current?.control.quit()
        let session = try newSession(server)
        current = session
        return session
    }

    /// A further login; the caller ends it.
    func newSession(_ server: SharedServer) throws(FTPError) -> Session {
        lastID += 1
        return try Session.establish(server, id: lastID, cancellation)
    }

    /// Runs a trial with a login of its own, for which `change` alters the settings, and whose server is known only what
    /// `prepare` says.
    func withFreshLogin<Result>(
        _ change: (inout ClientConfiguration) -> Void = { _ in },
        knowing prepare: @Sendable (inout ServerProfile) -> Void = { _ in },
        _ body: (Session) throws(FTPError) -> Result
    ) throws(FTPError) -> Result {
        var configuration = configuration
        change(&configuration)
        let server = SharedServer(configuration)
        let session = try newSession(server)
        defer { session.control.quit() }
        server.learn(prepare)
        return try body(session)
    }

    /// What a listing over TLS shows: by the settings, or without them in the explicit way and without looking at the
    /// certificate, for nothing secret is at stake that has not been sent in the clear already.
    func observeTLS() throws(FTPError) -> TLSObservation {
        if let observedTLS { return observedTLS }
        let observation = try withFreshLogin({ configuration in
            // There has to be a data connection to be looked at: not every listing needs one otherwise.
            configuration.pipelining = .off
            guard configuration.tls.mode == .off else { return }
            configuration.tls.mode = .explicit
            configuration.tls.verifies = false
        }) { (session) throws(FTPError) in
            _ = try session.list(.root, cancellation)
            guard let observed = session.server.known.tls.observed else { throw .unsupported("TLS") }
            return observed
        }
        observedTLS = observation
        return observation
    }

    func close() {
        current?.control.quit()
        current = nil
    }

    // MARK: - The scratch directory

    /// Makes the scratch directory. The name says whose it is, should it be left behind; the number keeps two probes apart.
    func makeScratch() throws(FTPError) {
        let path = RemotePath.root.appending(
            try Self.name(".ftpfs-probe-" + String(UInt64.random(in: 0...UInt64.max), radix: 16)))
        try session().makeDirectory(path, cancellation)
        scratch = path
    }

    /// A place in the scratch directory.
    func place(_ name: [UInt8]) throws(FTPError) -> RemotePath {
        guard let scratch, let name = try? FileName(validating: name) else {
            throw .invalidArgument("a name in no scratch directory")
        }
        return scratch.appending(name)
    }

    func place(_ name: String) throws(FTPError) -> RemotePath { try place(Array(name.utf8)) }

    private static func name(_ text: String) throws(FTPError) -> FileName {
        guard let name = try? FileName(validating: text) else { throw .invalidArgument(text) }
        return name
    }

    /// Removes the scratch directory with what is in it, also when the probe was cancelled; within the limits of single
    /// commands.
    ///
    /// - Returns: why it is still there; `nil` when it is not.
    func removeScratch() -> String? {
        guard let scratch else { return nil }
        cancellation = Cancellation()
        do throws(FTPError) {
            let session = try session()
            for entry in try session.list(scratch, cancellation).entries {
                try session.removeFile(scratch.appending(entry.name), cancellation)
            }
            try session.removeDirectory(scratch, cancellation)
            self.scratch = nil
            return nil
        } catch {
            return "\(scratch) is left on the server: \(error)"
        }
    }

    // MARK: - Bytes

    /// Writes a whole small file, or to its end.
    func write(_ bytes: [UInt8], to path: RemotePath, _ mode: WriteMode = .replace) throws(FTPError) {
        try finish(try session().openWrite(path, mode, cancellation), writing: bytes)
    }

    /// Writes from an offset on, by `REST` and `STOR`.
    func write(_ bytes: [UInt8], to path: RemotePath, at offset: Int64) throws(FTPError) {
        let session = try session()
        try session.useImageType(cancellation)
        let command = Command("STOR", try session.wirePath(path, cancellation))
        try finish(try session.beginTransfer(command, at: offset, cancellation), writing: bytes)
    }

    private func finish(_ transfer: Transfer, writing bytes: [UInt8]) throws(FTPError) {
        try finish(transfer) { () throws(FTPError) in try send(bytes, over: transfer) }
    }

    /// Ends a transfer after `body`, or breaks it off when that throws.
    func finish<Result>(_ transfer: Transfer, after body: () throws(FTPError) -> Result) throws(FTPError) -> Result {
        do throws(FTPError) {
            let result = try body()
            try transfer.finish(cancellation)
            return result
        } catch {
            transfer.abandon(abortively: true)
            throw error
        }
    }

    /// Sends some bytes of an upload.
    func send(_ bytes: [UInt8], over transfer: Transfer) throws(FTPError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(buffer.count)
            buffer.copyBytes(from: piece)
            try transfer.write(UnsafeRawBufferPointer(rebasing: buffer[..<piece.count]), cancellation)
            rest = rest.dropFirst(piece.count)
        }
    }

    /// Receives a download to its end.
    ///
    /// - Throws: `protocolViolation` for more than `limit` bytes: none that was written here is larger.
    func receive(_ transfer: Transfer, limit: Int, _ take: (UnsafeRawBufferPointer) -> Void) throws(FTPError) {
        var total = 0
        while true {
            let count = try transfer.read(into: buffer, cancellation)
            if count == 0 { return }
            total += count
            guard total <= limit else { throw .protocolViolation("more bytes than were written") }
            take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    /// Reads a small file from an offset to its end.
    func read(_ path: RemotePath, from offset: Int64 = 0) throws(FTPError) -> [UInt8] {
        let transfer = try session().openRead(path, at: offset, cancellation)
        return try finish(transfer) { () throws(FTPError) in
            var result: [UInt8] = []
            try receive(transfer, limit: 1 << 20) { result += $0 }
            return result
        }
    }

    /// Bytes in which every offset shows: what comes from a wrong place differs.
    static func pattern(_ count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ ($0 >> 8) &* 131) }
    }
}
