import FileSystem
import Threading
import Vocabulary

// Open files and directories.
extension MemoryFileSystem {
    func open(_ inode: InodeNumber, flags: OpenFlags, _ request: Request) throws(StoreError) -> OpenAnswer {
        try state.withLock { state throws(StoreError) in
            guard try state.node(inode).kind == .file else { throw StoreError(.isDirectory, "a directory") }
            if flags.contains(.truncate) { state.nodes[inode]?.content = [] }
            return openHandle(inode, listing: [], &state)
        }
    }

    func create(
        _ name: FileName, in parent: InodeNumber, mode: UInt32, flags: OpenFlags, _ request: Request
    ) throws(StoreError) -> CreateAnswer {
        let node = Node(kind: .file, mode: mode, modified: .init(seconds: now()))
        let entry = try make(name, in: parent, node, request)
        return state.withLock { state in
            CreateAnswer(entry: entry, open: openHandle(entry.attributes.inode, listing: [], &state))
        }
    }

    func read(
        _ handle: HandleID, offset: Int64, length: Int, _ request: Request,
        completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        let found = state.withLock { state -> (InodeNumber, [UInt8])? in
            guard let inode = state.handles[handle]?.inode, let node = state.nodes[inode] else { return nil }
            if inode == special["status"] {
                let text = "nodes \(state.nodes.count) handles \(state.handles.count) waiting \(state.waiting)\n"
                return (inode, Array(text.utf8))
            }
            return (inode, node.content)
        }
        guard let (inode, content) = found else { return completion(.failed(StoreError(.badHandle, "closed"))) }
        let start = min(Int(offset), content.count)
        let part = Array(content[start..<min(start + length, content.count)])
        switch inode {
        case special["later"]: answerLater(part, completion)
        case special["slow"]: answerWhenCancelled(request, completion)
        case special["stuck"]: state.withLock { $0.stuck.append(completion) }
        case special["dropped"]: return
        default: answer(part, completion)
        }
    }

    /// In two pieces, as a cache of chunks would.
    private func answer(_ bytes: [UInt8], _ completion: (ReadAnswer) -> Void) {
        bytes.withUnsafeBytes { bytes in
            let middle = bytes.count / 2
            completion(.bytes([.init(rebasing: bytes[..<middle]), .init(rebasing: bytes[middle...])]))
        }
    }

    private func answerLater(_ bytes: [UInt8], _ completion: @escaping @Sendable (ReadAnswer) -> Void) {
        do {
            try Thread.detached(named: "later") { [self] in answer(bytes, completion) }
        } catch {
            completion(.failed(StoreError(.noResources, "no thread")))
        }
    }

    private func answerWhenCancelled(_ request: Request, _ completion: @escaping @Sendable (ReadAnswer) -> Void) {
        state.withLock { $0.waiting += 1 }
        _ = request.cancellation.onCancel { [self] in
            state.withLock { $0.waiting -= 1 }
            completion(.failed(StoreError(.cancelled, "the read was cancelled")))
        }
    }

    func write(
        _ handle: HandleID, offset: Int64, bytes: UnsafeRawBufferPointer, isPage: Bool, _ request: Request
    ) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            guard let inode = state.handles[handle]?.inode else { throw StoreError(.badHandle, "closed") }
            let start = Int(offset)
            let end = start + bytes.count
            if end > (try state.node(inode).content.count) { state.nodes[inode]?.resize(to: end) }
            state.nodes[inode]?.content.replaceSubrange(start..<end, with: bytes)
            state.nodes[inode]?.modified = Timestamp(seconds: now())
        }
    }

    func flush(_ handle: HandleID, _ request: Request) throws(StoreError) {}

    func fsync(_ handle: HandleID, _ request: Request) throws(StoreError) {}

    func release(_ handle: HandleID) { closeHandle(handle) }

    func releaseDirectory(_ handle: HandleID) { closeHandle(handle) }

    func openDirectory(_ inode: InodeNumber, _ request: Request) throws(StoreError) -> OpenAnswer {
        try state.withLock { state throws(StoreError) in
            let listing = try state.node(inode).children.map { (name: $0.key, inode: $0.value) }
            return openHandle(inode, listing: listing.sorted { $0.name < $1.name }, &state)
        }
    }

    func readDirectory(
        _ handle: HandleID, from offset: UInt64, withAttributes: Bool, _ request: Request,
        add: (DirectoryItem) -> Bool
    ) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            guard let (inode, listing) = state.handles[handle] else { throw StoreError(.badHandle, "closed") }
            let parent = try state.node(inode).parent
            let dots: [(name: [UInt8], inode: InodeNumber)] = [([0x2E], inode), ([0x2E, 0x2E], parent)]
            var position = offset
            while position < UInt64(dots.count + listing.count) {
                let index = Int(position)
                position += 1
                guard index >= dots.count else {
                    let dot = dots[index]
                    let item = DirectoryItem(
                        name: dot.name, inode: dot.inode, kind: .directory, nextOffset: position, entry: nil)
                    guard add(item) else { return }
                    continue
                }
                let (name, inode) = listing[index - dots.count]
                guard let node = state.nodes[inode] else { continue }
                let entry = withAttributes ? try self.entry(inode, &state) : nil
                let item = DirectoryItem(
                    name: name.bytes, inode: inode, kind: node.kind, nextOffset: position, entry: entry)
                if !add(item) {
                    if withAttributes { state.nodes[inode]?.lookups -= 1 }
                    return
                }
            }
        }
    }

    private func openHandle(
        _ inode: InodeNumber, listing: [(name: FileName, inode: InodeNumber)], _ state: inout State
    ) -> OpenAnswer {
        state.next += 1
        let handle = HandleID(state.next)
        state.handles[handle] = (inode, listing)
        state.nodes[inode]?.handles += 1
        return OpenAnswer(handle: handle, keepCache: false, directIO: inode == special["status"])
    }

    private func closeHandle(_ handle: HandleID) {
        state.withLock { state in
            guard let (inode, _) = state.handles.removeValue(forKey: handle) else { return }
            state.nodes[inode]?.handles -= 1
            state.removeIfUnused(inode)
        }
    }
}
