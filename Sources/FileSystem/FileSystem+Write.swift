import Threading
import Vocabulary

/// Writing: into the spool, always; onto the server at flush and fsync (`FileSystem+Upload`).
///
/// Before the first byte of an existing file can be changed, its content is fetched; a write behind its end needs
/// none of it.
extension FileSystem {
    /// Writes all the bytes, or throws.
    package func write(
        _ handle: HandleID, offset: Int64, bytes: UnsafeRawBufferPointer, _ request: Request
    ) throws(StoreError) {
        try requireWritable()
        let file = try tree.withLock { tree throws(StoreError) in try tree.file(handle) }
        guard file.flags.contains(.write) else { throw StoreError(.badHandle, "not open for writing") }
        guard offset >= 0 else { throw StoreError(.invalidArgument, "negative offset") }
        guard !bytes.isEmpty else { return }
        let isAppend = file.flags.contains(.append)
        while true {
            switch try file.content.write(bytes, at: offset, isAppend: isAppend) {
            case .written(let size, let revision):
                return note(file.inode, size: size, revision: revision)
            case .needsPreparation:
                try prepare(file.content, offset, isAppend, request.cancellation)
            }
        }
    }

    /// Sends what is unsent, if this handle can have written it.
    package func flush(_ handle: HandleID, _ request: Request) throws(StoreError) {
        let file = try tree.withLock { tree throws(StoreError) in try tree.file(handle) }
        // A reader's close is not the moment to send what somebody else is still writing.
        guard file.flags.contains(.write) else { return }
        try upload(file.content, request.cancellation)
    }

    /// Sends what is unsent.
    package func fsync(_ handle: HandleID, _ request: Request) throws(StoreError) {
        let file = try tree.withLock { tree throws(StoreError) in try tree.file(handle) }
        try upload(file.content, request.cancellation)
    }

    /// Cuts or extends a file that has handles; what has to be sent for that is sent later.
    func truncate(_ content: FileContent, to size: Int64, _ cancellation: Cancellation) throws(StoreError) {
        // Not during an upload: it would find the file shorter than it was told.
        try content.gate.enter(cancellation)
        defer { content.gate.leave() }
        let remoteSize = tree.withLock { $0.inodes[content.inode]?.attributes.size }
        if !content.state.withLock({ $0.isLocal }) {
            switch (size, remoteSize) {
            case (_, .some(size)): return
            case (0, _): content.state.withLock { $0.beginEmpty() }
            case (_, .some(let present)) where size > present: beginTail(content, base: present)
            default:
                try fetch(content, upTo: size, cancellation)
                content.state.withLock { $0.rewrite() }
            }
        }
        var revision = try content.truncate(to: size)
        if revision == nil {
            try fetch(content, upTo: nil, cancellation)
            revision = try content.truncate(to: size)
        }
        guard let revision else { throw StoreError(.inputOutput, "the content is not here") }
        if content.state.withLock({ $0.isDirty }) { note(content.inode, size: size, revision: revision) }
    }

    /// Brings here what a write needs.
    private func prepare(
        _ content: FileContent, _ offset: Int64, _ isAppend: Bool, _ cancellation: Cancellation
    ) throws(StoreError) {
        try content.gate.enter(cancellation)
        defer { content.gate.leave() }
        // Asked inside the gate: while an upload ends, the tree does not know yet how long it has made the file.
        let remoteSize = tree.withLock { $0.inodes[content.inode]?.attributes.size }
        // Somebody may have done it while this thread waited.
        switch content.state.withLock({ $0.admit(offset: offset, isAppend: isAppend, remoteSize: remoteSize) }) {
        case .ready: return
        case .needsTail(let base): beginTail(content, base: base)
        case .needsWhole: try fetch(content, upTo: nil, cancellation)
        }
    }

    private func beginTail(_ content: FileContent, base: Int64) {
        let version = tree.withLock { $0.inodes[content.inode]?.version ?? 0 }
        content.state.withLock { $0.beginTail(base: base, version: version) }
    }

    /// Fetches the content of a file into the spool. What has been written here stays on top of it. Inside the gate.
    ///
    /// - Parameter limit: how much of it; `nil`: all.
    func fetch(_ content: FileContent, upTo limit: Int64?, _ cancellation: Cancellation) throws(StoreError) {
        let (known, version) = try tree.withLock { tree throws(StoreError) in
            let inode = try tree.inode(content.inode)
            return (inode.attributes, inode.version)
        }
        let file = try spool.make()
        let stream = try atPath(of: content.inode) { path throws(StoreError) in
            try store.openRead(path, from: 0, expecting: known, cancellation: cancellation)
        }
        defer { stream.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Spool.bufferSize, alignment: 4096)
        defer { buffer.deallocate() }
        var size: Int64 = 0
        while limit.map({ size < $0 }) ?? true {
            let room = Int(min(Int64(buffer.count), limit.map { $0 - size } ?? Int64(buffer.count)))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
            let count = try stream.read(into: part, cancellation: cancellation)
            if count == 0 { break }
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: size)
            size += Int64(count)
        }
        try content.install(file, size: size, version: version)
    }

    /// Notes for `stat` what the content has become.
    private func note(_ number: InodeNumber, size: Int64, revision: UInt64) {
        let time = configuration.wallClock()
        tree.withLock { tree in
            guard let inode = tree.inodes[number], revision > inode.sentRevision else { return }
            if let local = inode.local, local.revision > revision { return }
            inode.local = Inode.LocalContent(size: size, modified: time, revision: revision)
        }
    }
}
