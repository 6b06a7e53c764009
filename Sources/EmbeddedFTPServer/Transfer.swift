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
    let socket: FileDescriptor
    let faults: ActiveFaults
    let hearsAbort: Bool

    // MARK: Sending

    /// Sends everything.
    func send(_ source: Source) throws(SessionEnd) -> Outcome {
        switch source {
        case .bytes(let bytes):
            return try move { (done, most) throws(StorageError) in write(bytes, from: done, most) }
        case .file(let reader, let offset, let count):
            if let file = reader.descriptor {
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
        return try move(POLLIN) { (_, most) throws(StorageError) in
            let count = read(socket.rawValue, buffer.baseAddress, Int(most))
            guard count > 0 else { return count == 0 ? .end : failure() }
            control.noteBytes(received: count)
            try writer.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            return .moved(Int64(count))
        }
    }

    // MARK: The loop

    /// What one attempt to move bytes brought.
    private enum Step {
        case moved(Int64)
        case end
        case wouldBlock
        case hungUp
    }

    /// Moves bytes step by step until something ends that.
    ///
    /// - Parameter step: moves some bytes, given how many went before and how many may go at once.
    private func move(
        _ events: Int32 = POLLOUT, _ step: (Int64, Int64) throws(StorageError) -> Step
    ) throws(SessionEnd) -> Outcome {
        var done: Int64 = 0
        let limit = faults.dataLimit?.bytes ?? .max
        while true {
            try control.hold()
            if hearsAbort && control.isAbortWaiting { return .aborted }
            if done >= limit { return try endAtLimit(events) }
            let most = min(faults.sendsByteByByte ? 1 : Int64(Self.bufferSize), limit - done)
            let result: Step
            do throws(StorageError) { result = try step(done, most) } catch { return .failed(error) }
            switch result {
            case .moved(let count):
                done += count
                try control.look()
            case .end: return .complete
            case .hungUp: return .clientHungUp
            case .wouldBlock:
                let deadline = Deadline.after(control.configuration.dataTimeout)
                guard try control.wait(for: socket, events, until: deadline) else { return .clientHungUp }
                if control.hasEnded { throw .closedByClient }
            }
        }
    }

    /// What the fault plan wants after so many bytes: a cut, or a stall until the client gives up.
    private func endAtLimit(_ events: Int32) throws(SessionEnd) -> Outcome {
        switch faults.dataLimit?.1 {
        case .cut(let ending):
            if ending == .reset && events == POLLOUT { try waitUntilDelivered() }
            data.disconnect(ending)
            return .cut
        case .stall, nil:
            while true {
                if hearsAbort && control.isAbortWaiting { return .aborted }
                // Only the end of the connection is waited for; POLLHUP and POLLERR always come.
                _ = try control.wait(for: socket, Int32(clinux_POLLRDHUP), until: .never)
                if control.hasEnded { throw .closedByClient }
                if hasHungUp() { return .clientHungUp }
            }
        }
    }

    /// Waits until the client's system has taken what was sent, so that RST, which discards the rest, leaves the client
    /// with exactly the bytes of the fault plan.
    private func waitUntilDelivered() throws(SessionEnd) {
        let deadline = Deadline.after(control.configuration.dataTimeout)
        while !deadline.hasPassed && !hasHungUp() {
            var unsent: Int32 = 0
            // SIOCOUTQ of tcp(7) is this terminal request by another name.
            guard ioctl(socket.rawValue, UInt(TIOCOUTQ), &unsent) == 0, unsent > 0 else { return }
            // Nothing tells when it is taken; 1 ms is far below anything a test could notice.
            _ = try control.wait(until: .after(.milliseconds(1)))
            if control.hasEnded { throw .closedByClient }
        }
    }

    private func hasHungUp() -> Bool {
        var state = pollfd(fd: socket.rawValue, events: clinux_POLLRDHUP, revents: 0)
        return poll(&state, 1, 0) > 0
    }

    // MARK: Steps

    private func write(_ bytes: [UInt8], from offset: Int64, _ most: Int64) -> Step {
        guard offset < Int64(bytes.count) else { return .end }
        return bytes.withUnsafeBytes { buffer in
            write(UnsafeRawBufferPointer(rebasing: buffer[Int(offset)...].prefix(Int(most))))
        }
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Step {
        let count = Glibc.send(socket.rawValue, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
        guard count >= 0 else { return failure() }
        control.noteBytes(sent: count)
        return .moved(Int64(count))
    }

    private func sendFile(_ file: FileDescriptor, at offset: Int64, _ most: Int64) throws(StorageError) -> Step {
        guard most > 0 else { return .end }
        var offset = off_t(offset)
        let count = sendfile(socket.rawValue, file.rawValue, &offset, Int(most))
        // Of sendfile's errors these come from the file and not from the socket.
        if count < 0, errno == EIO || errno == EINVAL || errno == EOVERFLOW { throw .failed(Socket.lastError()) }
        guard count > 0 else { return count == 0 ? .end : failure() }
        control.noteBytes(sent: count)
        return .moved(Int64(count))
    }

    private func failure() -> Step {
        switch errno {
        case EAGAIN, EINTR: .wouldBlock
        default: .hungUp
        }
    }
}
