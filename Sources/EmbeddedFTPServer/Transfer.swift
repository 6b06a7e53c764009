internal import CLinux
internal import SystemPackage
internal import Threading

#if canImport(Glibc)
@preconcurrency internal import Glibc
#endif

/// The bytes of one transfer on their way through the data connection.
///
/// It runs on the session's thread, moves as much as the sockets take, and waits through the control connection, so
/// that ABOR, a hang-up and a stop are noticed whenever it waits, and every few hundred KiB when it does not.
struct Transfer {
    /// How it ended.
    enum Outcome {
        case complete
        /// The client has sent ABOR.
        case aborted
        /// The client has closed the data connection, or nothing moved for too long.
        case clientHungUp
        /// A fault has cut the data connection already.
        case cut
        /// Under TLS the data ended without the client's close_notify, and the policy wants it.
        case truncated
        /// The storage failed.
        case failed(StorageError)
    }

    /// What is sent.
    enum Source {
        case bytes([UInt8])
        /// A file from an offset on, for at most so many bytes.
        case file(any StorageReader, from: Int64, atMost: Int64)
    }

    /// 256 KiB: the cost of a call disappears behind the copying, and the buffer stays in the second-level cache.
    private static let bufferSize = 262_144

    let control: ControlConnection
    let data: DataPort
    let connection: DataConnection
    let faults: ActiveFaults
    let hearsAbort: Bool

    // MARK: Sending

    /// Sends everything.
    func send(_ source: Source) throws(SessionEnd) -> Outcome {
        switch source {
        case .bytes(let bytes):
            return try move { (done, most) throws(StorageError) in write(bytes, from: done, most) }
        case .file(let reader, let offset, let count):
            // What TLS encrypts has to come through here.
            if let file = reader.descriptor, connection.tls == nil {
                return try move { (done, most) throws(StorageError) in
                    try sendFile(file, at: offset + done, min(most, count - done))
                }
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 16)
            defer { buffer.deallocate() }
            return try move { (done, most) throws(StorageError) in
                let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(most, count - done))])
                let filled = try reader.read(into: part, at: offset + done)
                return filled == 0 ? .end : write(UnsafeRawBufferPointer(rebasing: part[..<filled]))
            }
        }
    }

    // MARK: Receiving

    /// Receives everything until the client closes the data connection in order.
    func receive(into writer: any StorageWriter) throws(SessionEnd) -> Outcome {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.bufferSize, alignment: 16)
        defer { buffer.deallocate() }
        let outcome = try move(POLLIN) { (_, most) throws(StorageError) in
            let step = connection.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(most)]))
            guard case .moved(let count) = step else { return step }
            control.noteBytes(received: Int(count))
            try writer.write(UnsafeRawBufferPointer(rebasing: buffer[..<Int(count)]))
            return step
        }
        guard case .complete = outcome, let tls = connection.tls else { return outcome }
        return tls.context.policy.requiresCloseNotifyOfUploads && !tls.gotCloseNotify ? .truncated : .complete
    }

    // MARK: The loop

    /// Moves bytes step by step until something ends that.
    ///
    /// - Parameter step: moves some bytes, given how many went before and how many may go at once.
    private func move(
        _ events: Int32 = POLLOUT, _ step: (Int64, Int64) throws(StorageError) -> DataConnection.Step
    ) throws(SessionEnd) -> Outcome {
        var done: Int64 = 0
        let limit = faults.dataLimit?.bytes ?? .max
        while true {
            try control.hold()
            if hearsAbort && control.isAbortWaiting { return .aborted }
            if done >= limit { return try endAtLimit(events) }
            let most = min(faults.sendsByteByByte ? 1 : Int64(Self.bufferSize), limit - done)
            let result: DataConnection.Step
            do throws(StorageError) { result = try step(done, most) } catch { return .failed(error) }
            switch result {
            case .moved(let count):
                done += count
                try control.look()
            case .end: return .complete
            case .hungUp: return .clientHungUp
            case .wouldBlock:
                let deadline = Deadline.after(control.configuration.dataTimeout)
                guard try control.wait(for: connection.socket, events, until: deadline) else { return .clientHungUp }
                if control.hasEnded { throw .closedByClient }
            }
        }
    }

    /// What the fault plan wants after so many bytes: a cut, or a stall until the client gives up.
    private func endAtLimit(_ events: Int32) throws(SessionEnd) -> Outcome {
        guard try flush() else { return .clientHungUp }
        switch faults.dataLimit?.1 {
        case .cut(let ending):
            if ending == .reset && events == POLLOUT { try waitUntilDelivered() }
            data.disconnect(ending)
            return .cut
        case .cutRecord(let ending):
            // 1,000 bytes that no file has to have: what is cut off is what proves them.
            connection.tls?.writeHalf([UInt8](repeating: 0, count: 1_000))
            _ = try flush()
            if ending == .reset { try waitUntilDelivered() }
            data.disconnect(ending)
            return .cut
        case .stall, nil: return try stall()
        }
    }

    /// Moves nothing until the client gives up.
    func stall() throws(SessionEnd) -> Outcome {
        while true {
            if hearsAbort && control.isAbortWaiting { return .aborted }
            // Only the end of the connection is waited for; POLLHUP and POLLERR always come.
            _ = try control.wait(for: connection.socket, Int32(clinux_POLLRDHUP), until: .never)
            if control.hasEnded { throw .closedByClient }
            if connection.hasHungUp { return .clientHungUp }
        }
    }

    /// Waits until the client's system has taken what was sent, so that RST, which discards the rest, leaves the client
    /// with exactly the bytes of the fault plan.
    private func waitUntilDelivered() throws(SessionEnd) {
        let deadline = Deadline.after(control.configuration.dataTimeout)
        while !deadline.hasPassed && !connection.hasHungUp && !connection.isDelivered {
            // Nothing tells when it is taken; 1 ms is far below anything a test could notice.
            _ = try control.wait(until: .after(.milliseconds(1)))
            if control.hasEnded { throw .closedByClient }
        }
    }

    // MARK: Steps

    private func write(_ bytes: [UInt8], from offset: Int64, _ most: Int64) -> DataConnection.Step {
        guard offset < Int64(bytes.count) else { return .end }
        return bytes.withUnsafeBytes { buffer in
            write(UnsafeRawBufferPointer(rebasing: buffer[Int(offset)...].prefix(Int(most))))
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> DataConnection.Step {
        let step = connection.send(bytes)
        if case .moved(let count) = step { control.noteBytes(sent: Int(count)) }
        return step
    }

    private func sendFile(
        _ file: FileDescriptor, at offset: Int64, _ most: Int64
    ) throws(StorageError) -> DataConnection.Step {
        guard most > 0 else { return .end }
        var offset = off_t(offset)
        let count = sendfile(connection.socket.rawValue, file.rawValue, &offset, Int(most))
        // Of sendfile's errors these come from the file and not from the socket.
        if count < 0, errno == EIO || errno == EINVAL || errno == EOVERFLOW { throw .failed(Socket.lastError()) }
        guard count > 0 else { return count == 0 ? .end : connection.failure() }
        control.noteBytes(sent: count)
        return .moved(Int64(count))
    }
}
