import FileSystem
import SystemPackage
import Threading
import Vocabulary

extension MemoryStore {
    /// A file being read: the content as it was when the stream was opened.
    final class ReadStream: RemoteReadStream {
        private let store: MemoryStore
        private let path: RemotePath
        private let content: Content
        private let position: Monitor<(offset: Int64, isClosed: Bool)>

        init(store: MemoryStore, path: RemotePath, content: Content, offset: Int64) {
            self.store = store
            self.path = path
            self.content = content
            position = Monitor((offset, false))
        }

        func read(
            into buffer: UnsafeMutableRawBufferPointer, cancellation: Cancellation
        ) throws(StoreError) -> Int {
            try store.enter(.read(path), cancellation)
            let limit = store.state.withLock { $0.settings.readLimit }
            let room = UnsafeMutableRawBufferPointer(rebasing: buffer[..<min(limit, buffer.count)])
            let offset = position.withLock { $0.offset }
            guard !position.withLock({ $0.isClosed }) else { throw StoreError(.badHandle, "read of a closed stream") }
            let count = content.copy(from: offset, into: room)
            position.withLock { $0.offset += Int64(count) }
            store.state.withLock { $0.bytesRead += Int64(count) }
            return count
        }

        func close() {
            position.withLock { $0.isClosed = true }
        }
    }

    /// A file being written: bytes are on the server when they have been sent. The path must stay what it is meanwhile.
    final class WriteStream: RemoteWriteStream {
        private let store: MemoryStore
        private let path: RemotePath
        private let mode: RemoteWriteMode
        /// How many bytes have been sent.
        private let sent = Monitor(0)
        private let isLost = Monitor(false)
        let sizeBefore: SizeAnswer

        init(store: MemoryStore, path: RemotePath, mode: RemoteWriteMode, sizeBefore: SizeAnswer) {
            self.sizeBefore = sizeBefore
            self.store = store
            self.path = path
            self.mode = mode
        }

        func send(
            from file: FileDescriptor, range: Range<Int64>, cancellation: Cancellation
        ) throws(StoreError) {
            try store.enter(.send(path, range), cancellation)
            var bytes = [UInt8](repeating: 0, count: range.count)
            var done = 0
            while done < bytes.count {
                let count = bytes.withUnsafeMutableBytes { buffer in
                    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                    return (try? file.read(fromAbsoluteOffset: range.lowerBound + Int64(done), into: rest)) ?? 0
                }
                guard count > 0 else { throw StoreError(.inputOutput, "the file to send is shorter than \(range)") }
                done += count
            }
            let before = sent.withLock { sent in
                defer { sent += bytes.count }
                return sent
            }
            let isBroken = try store.state.withLock { [bytes] state throws(StoreError) -> Bool in
                let offset: Int? =
                    switch mode {
                    case .append: nil
                    case .replace: before
                    case .at, .over: Int(mode.offset) + before
                    }
                let (bytes, isBroken) = state.passing(bytes, to: path, at: offset)
                let time = state.settings.time
                let keepsTail = state.settings.keepsTail
                try state.change(path) { node in
                    guard case .bytes(var content) = node.content else { return }
                    switch mode {
                    case .replace, .append:
                        content += bytes
                    case .at, .over:
                        let place = Int(mode.offset) + before
                        let end = place + bytes.count
                        let keepsTail = keepsTail || mode.offset == 0
                        if content.count < place || !keepsTail { content = Array(content.prefix(place)) }
                        content += [UInt8](repeating: 0, count: max(0, end - content.count))
                        content.replaceSubrange(place..<end, with: bytes)
                    }
                    node.content = .bytes(content)
                    node.modified = time
                }
                return isBroken
            }
            guard isBroken else { return }
            leave()
            isLost.withLock { $0 = true }
            throw StoreError(.inputOutput, "the connection was lost", isInterruption: true)
        }

        var mayGoOn: Bool { isLost.withLock { $0 } }

        func finish(
            doing errands: UploadErrands, cancellation: Cancellation
        ) throws(StoreError) -> UploadErrands.Outcome {
            try finish(cancellation: cancellation)
            return store.carryOut(errands, path)
        }

        func finish(cancellation: Cancellation) throws(StoreError) {
            leave()
            try store.enter(.finish(path), cancellation)
        }

        func abort() { leave() }

        private func leave() {
            store.state.withLock { state in state.writers[ObjectIdentifier(self)] = nil }
        }
    }
}

extension RemoteWriteMode {
    /// Where the bytes go that replace others.
    fileprivate var offset: Int64 { if case .at(let offset) = self { offset } else { 0 } }
}
