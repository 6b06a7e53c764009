internal import SystemPackage
internal import Threading
internal import Vocabulary

/// Serves a ``MemoryTree``.
final class MemoryStorage: ServerStorage {
    private let tree: MemoryTree

    init(_ tree: MemoryTree) {
        self.tree = tree
    }

    func attributes(of path: ServerPath, following: Bool) throws(StorageError) -> StorageAttributes {
        try tree.state.withLock { (state) throws(StorageError) in
            try state.node(path, following: following).shownAttributes
        }
    }

    func list(_ directory: ServerPath) throws(StorageError) -> [StorageEntry] {
        try tree.state.withLock { (state) throws(StorageError) in
            if try state.node(directory, following: true).isDenied { throw .denied }
            let children = try state.directory(directory).children.sorted { $0.value.serial < $1.value.serial }
            return children.map { name, node in
                var entry = StorageEntry(name: name, attributes: node.shownAttributes)
                if case .link(let target) = node.content { entry.linkTarget = target }
                return entry
            }
        }
    }

    func openRead(_ path: ServerPath) throws(StorageError) -> any StorageReader {
        try tree.state.withLock { (state) throws(StorageError) -> Reader in
            let node = try state.node(path, following: true)
            if node.isDenied { throw .denied }
            guard case .file(let file) = node.content else { throw .isDirectory }
            return Reader(file: file, size: node.shownAttributes.size)
        }
    }

    func openWrite(_ path: ServerPath, mode: StorageWriteMode) throws(StorageError) -> any StorageWriter {
        let file = try tree.state.withLock { (state) throws(StorageError) in try Self.fileToWrite(path, &state) }
        switch mode {
        case .replace:
            file.resize(to: 0)
            return Writer(tree: tree, file: file, position: 0)
        case .append:
            return Writer(tree: tree, file: file, position: file.size)
        case .at(let offset, let cutsTail):
            // Beyond the end this makes a hole, as ftruncate(2) does.
            if cutsTail { file.resize(to: offset) }
            return Writer(tree: tree, file: file, position: offset)
        }
    }

    /// The file at a path, made if there is none, with its time of change set to now.
    private static func fileToWrite(
        _ path: ServerPath, _ state: inout MemoryTree.State
    ) throws(StorageError) -> MemoryFile {
        let path = try state.resolved(path, following: true)
        guard let name = path.name else { throw .isDirectory }
        if try state.node(path.parent, following: false).isDenied { throw .denied }
        let parent = try state.directory(path.parent)
        if parent.children[name] == nil {
            state.serial += 1
            parent.children[name] = MemoryTree.Node(
                attributes: StorageAttributes(kind: .file), content: .file(MemoryFile()), serial: state.serial)
        }
        let now = state.time
        return try state.change(path) { (node) throws(StorageError) in
            guard case .file(let file) = node.content else { throw .isDirectory }
            if node.isDenied { throw .denied }
            node.attributes.modified = now
            node.claimedSize = nil
            return file
        }
    }

    func makeDirectory(_ path: ServerPath) throws(StorageError) {
        try insert(path) { MemoryTree.Content.directory(MemoryTree.Directory()) }
    }

    func makeSymbolicLink(_ path: ServerPath, target: [UInt8]) throws(StorageError) {
        try insert(path) { MemoryTree.Content.link(target) }
    }

    private func insert(_ path: ServerPath, _ content: () -> MemoryTree.Content) throws(StorageError) {
        guard let name = path.name else { throw .exists }
        try tree.state.withLock { (state) throws(StorageError) in
            if try state.node(path.parent, following: true).isDenied { throw .denied }
            let parent = try state.directory(path.parent)
            guard parent.children[name] == nil else { throw .exists }
            state.serial += 1
            let content = content()
            var attributes = StorageAttributes(kind: .directory, modified: state.time, mode: 0o755, links: 2)
            if case .link = content {
                attributes = StorageAttributes(kind: .symbolicLink, modified: state.time, mode: 0o777)
            }
            parent.children[name] = MemoryTree.Node(attributes: attributes, content: content, serial: state.serial)
        }
    }

    func removeDirectory(_ path: ServerPath) throws(StorageError) {
        try remove(path) { (content) throws(StorageError) in
            guard case .directory(let directory) = content else { throw .notDirectory }
            guard directory.children.isEmpty else { throw .notEmpty }
        }
    }

    func removeFile(_ path: ServerPath) throws(StorageError) {
        try remove(path) { (content) throws(StorageError) in
            if case .directory = content { throw .isDirectory }
        }
    }

    private func remove(
        _ path: ServerPath, _ check: (MemoryTree.Content) throws(StorageError) -> Void
    ) throws(StorageError) {
        guard let name = path.name else { throw .denied }
        try tree.state.withLock { (state) throws(StorageError) in
            let parent = try state.directory(path.parent)
            guard let node = parent.children[name] else { throw .notFound }
            if node.isDenied { throw .denied }
            try check(node.content)
            parent.children[name] = nil
        }
    }

    func rename(_ path: ServerPath, to target: ServerPath, replacing: Bool) throws(StorageError) {
        guard let name = path.name, let newName = target.name else { throw .denied }
        try tree.state.withLock { (state) throws(StorageError) in
            let from = try state.directory(path.parent)
            let to = try state.directory(target.parent)
            guard let node = from.children[name] else { throw .notFound }
            if node.isDenied { throw .denied }
            // Into itself: what rename(2) answers with EINVAL.
            if target.components.starts(with: path.components) && target != path { throw .invalidName }
            if let old = to.children[newName], target != path {
                guard replacing else { throw .exists }
                switch (node.content, old.content) {
                case (.directory, .directory(let directory)):
                    guard directory.children.isEmpty else { throw .notEmpty }
                case (.directory, _): throw .notDirectory
                case (_, .directory): throw .isDirectory
                default: break
                }
            }
            from.children[name] = nil
            to.children[newName] = node
        }
    }

    func setModificationTime(_ path: ServerPath, to time: Timestamp) throws(StorageError) {
        try change(path) { $0.attributes.modified = time }
    }

    func setMode(_ path: ServerPath, to mode: UInt32) throws(StorageError) {
        try change(path) { $0.attributes.mode = mode }
    }

    private func change(_ path: ServerPath, _ body: (inout MemoryTree.Node) -> Void) throws(StorageError) {
        try tree.state.withLock { (state) throws(StorageError) in
            try state.change(path) { (node) throws(StorageError) in
                if node.isDenied { throw .denied }
                body(&node)
            }
        }
    }

    private struct Reader: StorageReader {
        let file: MemoryFile
        let size: Int64
        let descriptor: FileDescriptor? = nil

        func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) -> Int {
            file.read(into: buffer, at: offset)
        }

        func close() {}
    }

    private final class Writer: StorageWriter {
        private let tree: MemoryTree
        private let file: MemoryFile
        private var position: Int64

        init(tree: MemoryTree, file: MemoryFile, position: Int64) {
            self.tree = tree
            self.file = file
            self.position = position
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
            let (end, overflow) = position.addingReportingOverflow(Int64(bytes.count))
            guard !overflow, tree.takeSpace(max(0, end - file.size)) else { throw .noSpace }
            file.write(bytes, at: position)
            position = end
        }

        func close() {}
    }
}
