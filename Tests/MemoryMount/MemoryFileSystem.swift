import FileSystem
import Threading
import Vocabulary

/// A file system in memory, complete enough for ordinary programs, with some entries that misbehave on purpose.
///
/// - `hello`: a small file. `many`: a directory of 10,000 files.
/// - `later`: answers reads from another thread.
/// - `blocked`: a directory in which every lookup waits until it is cancelled.
/// - `slow`: its reads wait until they are cancelled. `stuck`: its reads are never answered.
/// - `dropped`: its reads' completions are thrown away.
/// - `status`: how many nodes, handles and waiting requests there are.
final class MemoryFileSystem: FileSystemOperations {
    struct Node {
        var kind: FileKind
        var mode: UInt32
        var userID: UInt32 = 0
        var groupID: UInt32 = 0
        var modified: Timestamp
        var content: [UInt8] = []
        var children: [FileName: InodeNumber] = [:]
        var parent = InodeNumber.root
        /// How many names lead here: 0 or 1.
        var names: UInt32 = 1
        var lookups: UInt64 = 0
        var handles = 0
    }

    struct State {
        var nodes: [InodeNumber: Node] = [:]
        var next: UInt64 = 1
        var handles: [HandleID: (inode: InodeNumber, listing: [(name: FileName, inode: InodeNumber)])] = [:]
        var waiting = 0
        /// Completions that are never called.
        var stuck: [@Sendable (ReadAnswer) -> Void] = []
    }

    let state = Monitor(State())
    let special: [String: InodeNumber]
    private let timeToLive: Duration

    init(timeToLive: Duration) throws {
        self.timeToLive = timeToLive
        var state = State()
        func add(_ name: String, _ node: Node, to parent: InodeNumber) throws -> InodeNumber {
            state.next += 1
            let inode = InodeNumber(state.next)
            state.nodes[inode] = node
            state.nodes[inode]?.parent = parent
            state.nodes[parent]?.children[try FileName(validating: name)] = inode
            return inode
        }
        let epoch = Timestamp(seconds: 1_000_000_000)
        state.nodes[.root] = Node(kind: .directory, mode: 0o777, modified: epoch)
        var special: [String: InodeNumber] = [:]
        for name in ["hello", "later", "slow", "stuck", "dropped", "status"] {
            let node = Node(kind: .file, mode: 0o644, modified: epoch, content: Array("\(name) world\n".utf8))
            special[name] = try add(name, node, to: .root)
        }
        special["blocked"] = try add("blocked", Node(kind: .directory, mode: 0o755, modified: epoch), to: .root)
        let many = try add("many", Node(kind: .directory, mode: 0o755, modified: epoch), to: .root)
        for number in 0..<10_000 {
            _ = try add("entry\(number)", Node(kind: .file, mode: 0o644, modified: epoch), to: many)
        }
        self.special = special
        let sent = state
        self.state.withLock { $0 = sent }
    }

    // MARK: - Names

    func lookup(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) -> LookupAnswer {
        if parent == special["blocked"] { try waitUntilCancelled(request) }
        let answer = try state.withLock { state throws(StoreError) -> EntryAnswer? in
            guard let inode = try state.node(parent).children[name] else { return nil }
            return try entry(inode, &state)
        }
        return answer.map { .found($0) } ?? .absent(timeToLive: timeToLive)
    }

    func forget(_ inode: InodeNumber, count: UInt64) {
        state.withLock { state in
            state.nodes[inode]?.lookups -= count
            state.removeIfUnused(inode)
        }
    }

    func readLink(_ inode: InodeNumber, _ request: Request) throws(StoreError) -> [UInt8] {
        try state.withLock { state throws(StoreError) in try state.node(inode).content }
    }

    func makeDirectory(
        _ name: FileName, in parent: InodeNumber, mode: UInt32, _ request: Request
    ) throws(StoreError) -> EntryAnswer {
        try make(name, in: parent, Node(kind: .directory, mode: mode, modified: .init(seconds: now())), request)
    }

    func makeSymbolicLink(
        _ name: FileName, in parent: InodeNumber, target: [UInt8], _ request: Request
    ) throws(StoreError) -> EntryAnswer {
        let node = Node(kind: .symbolicLink, mode: 0o777, modified: .init(seconds: now()), content: target)
        return try make(name, in: parent, node, request)
    }

    func unlink(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) {
        try state.withLock { state throws(StoreError) in try state.removeName(name, in: parent) }
    }

    func removeDirectory(_ name: FileName, in parent: InodeNumber, _ request: Request) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            let inode = try state.child(name, of: parent)
            guard try state.node(inode).children.isEmpty else { throw StoreError(.notEmpty, "full") }
            try state.removeName(name, in: parent)
        }
    }

    func rename(
        _ name: FileName, in parent: InodeNumber, to newName: FileName, in newParent: InodeNumber,
        options: RenameOptions, _ request: Request
    ) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            let inode = try state.child(name, of: parent)
            if options.contains(.exchange) { throw StoreError(.invalidArgument, "exchange") }
            if try state.node(newParent).children[newName] != nil {
                if options.contains(.noReplace) { throw StoreError(.exists, "taken") }
                try state.removeName(newName, in: newParent)
            }
            state.nodes[parent]?.children[name] = nil
            state.nodes[newParent]?.children[newName] = inode
            state.nodes[inode]?.parent = newParent
        }
    }

    // MARK: - Attributes

    func attributes(
        of inode: InodeNumber, handle: HandleID?, _ request: Request
    ) throws(StoreError) -> AttributesAnswer {
        try state.withLock { state throws(StoreError) in
            AttributesAnswer(attributes: try attributes(inode, state), timeToLive: timeToLive)
        }
    }

    func setAttributes(
        of inode: InodeNumber, to change: AttributeChange, handle: HandleID?, _ request: Request
    ) throws(StoreError) -> AttributesAnswer {
        try state.withLock { state throws(StoreError) in
            var node = try state.node(inode)
            node.mode = change.mode ?? node.mode
            node.userID = change.userID ?? node.userID
            node.groupID = change.groupID ?? node.groupID
            if let size = change.size { node.resize(to: Int(size)) }
            switch change.modified {
            case .now?: node.modified = Timestamp(seconds: now())
            case .to(let time)?: node.modified = time
            case nil: break
            }
            state.nodes[inode] = node
            return AttributesAnswer(attributes: try attributes(inode, state), timeToLive: timeToLive)
        }
    }

    func space() -> SpaceAnswer { SpaceAnswer(total: 8 << 30, free: 2 << 30, blockSize: 4096) }

    func access(_ inode: InodeNumber, mask: UInt32, _ request: Request) throws(StoreError) {
        _ = try state.withLock { state throws(StoreError) in try state.node(inode) }
    }

    // MARK: - How

    func now() -> Int64 { 1_700_000_000 }

    func make(
        _ name: FileName, in parent: InodeNumber, _ node: Node, _ request: Request
    ) throws(StoreError) -> EntryAnswer {
        try state.withLock { state throws(StoreError) in
            guard try state.node(parent).children[name] == nil else { throw StoreError(.exists, "taken") }
            state.next += 1
            let inode = InodeNumber(state.next)
            var node = node
            (node.userID, node.groupID, node.parent) = (request.userID, request.groupID, parent)
            state.nodes[inode] = node
            state.nodes[parent]?.children[name] = inode
            return try entry(inode, &state)
        }
    }

    /// What stat shows, counting one lookup.
    func entry(_ inode: InodeNumber, _ state: inout State) throws(StoreError) -> EntryAnswer {
        let attributes = try attributes(inode, state)
        state.nodes[inode]?.lookups += 1
        return EntryAnswer(attributes: attributes, attributesTimeToLive: timeToLive, entryTimeToLive: timeToLive)
    }

    private func attributes(_ inode: InodeNumber, _ state: State) throws(StoreError) -> Attributes {
        let node = try state.node(inode)
        return Attributes(
            inode: inode, kind: node.kind, mode: node.mode, linkCount: max(1, node.names), userID: node.userID,
            groupID: node.groupID, size: Int64(node.content.count), modified: node.modified)
    }

    /// Changes the content of `hello` without telling anybody.
    func changeHello() -> (FileName, InodeNumber)? {
        guard let inode = special["hello"], let name = try? FileName(validating: "hello") else { return nil }
        state.withLock { $0.nodes[inode]?.content = Array("changed world\n".utf8) }
        return (name, inode)
    }

    func waitUntilCancelled(_ request: Request) throws(StoreError) {
        state.withLock { $0.waiting += 1 }
        defer { state.withLock { $0.waiting -= 1 } }
        let _: WaitOutcome<Void> = state.wait(until: .never, cancellation: request.cancellation) { _ in nil }
        throw StoreError(.cancelled, "the request was cancelled")
    }
}

extension MemoryFileSystem.State {
    func node(_ inode: InodeNumber) throws(StoreError) -> MemoryFileSystem.Node {
        guard let node = nodes[inode] else { throw StoreError(.changedRemotely, "no such inode") }
        return node
    }

    func child(_ name: FileName, of parent: InodeNumber) throws(StoreError) -> InodeNumber {
        guard let inode = try node(parent).children[name] else { throw StoreError(.notFound, "no such name") }
        return inode
    }

    mutating func removeName(_ name: FileName, in parent: InodeNumber) throws(StoreError) {
        let inode = try child(name, of: parent)
        nodes[parent]?.children[name] = nil
        nodes[inode]?.names = 0
        removeIfUnused(inode)
    }

    mutating func removeIfUnused(_ inode: InodeNumber) {
        guard let node = nodes[inode], node.names == 0, node.lookups == 0, node.handles == 0 else { return }
        nodes[inode] = nil
    }
}

extension MemoryFileSystem.Node {
    mutating func resize(to size: Int) {
        if size < content.count { content.removeLast(content.count - size) }
        if size > content.count { content += [UInt8](repeating: 0, count: size - content.count) }
    }
}
