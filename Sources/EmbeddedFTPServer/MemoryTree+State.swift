internal import SystemPackage
internal import Vocabulary

extension MemoryTree.Node {
    /// What clients are told: the true attributes but for a size that lies.
    var shownAttributes: StorageAttributes {
        var shown = attributes
        switch content {
        case .file(let file): shown.size = claimedSize ?? file.size
        case .link(let target): shown.size = Int64(target.count)
        // What ext4 says of a small directory.
        case .directory: shown.size = claimedSize ?? 4096
        }
        return shown
    }
}

extension MemoryTree.State {
    /// How many symbolic links one path may go through: what Linux allows.
    private static let maximumLinks = 40

    /// The node at a path; symbolic links on the way are followed, one at its end if `following`.
    func node(_ path: ServerPath, following: Bool) throws(StorageError) -> MemoryTree.Node {
        try node(resolved(path, following: following))
    }

    /// The directory at a path, following symbolic links.
    func directory(_ path: ServerPath) throws(StorageError) -> MemoryTree.Directory {
        guard case .directory(let directory) = try node(path, following: true).content else { throw .notDirectory }
        return directory
    }

    /// Changes the node at a path in place, following symbolic links.
    mutating func change<Result>(
        _ path: ServerPath, _ body: (inout MemoryTree.Node) throws(StorageError) -> Result
    ) throws(StorageError) -> Result {
        let path = try resolved(path, following: true)
        guard let name = path.name else { return try body(&root) }
        guard case .directory(let parent) = try node(path.parent).content else { throw .notDirectory }
        guard var node = parent.children[name] else { throw .notFound }
        let result = try body(&node)
        parent.children[name] = node
        return result
    }

    /// Makes the directories of a path that do not exist.
    mutating func makeDirectories(_ path: ServerPath) {
        guard let name = path.name, (try? node(path, following: true)) == nil else { return }
        makeDirectories(path.parent)
        guard let parent = try? directory(path.parent) else { return }
        serial += 1
        parent.children[name] = MemoryTree.Node(
            attributes: StorageAttributes(kind: .directory, modified: MemoryTree.defaultTime, mode: 0o755, links: 2),
            content: .directory(MemoryTree.Directory()), serial: serial)
    }

    /// The path with every symbolic link on it replaced by what it points to.
    func resolved(_ path: ServerPath, following: Bool) throws(StorageError) -> ServerPath {
        var done = ServerPath.root
        var rest = path.components
        var links = 0
        while !rest.isEmpty {
            let next = done.appending(rest.removeFirst())
            guard following || !rest.isEmpty, case .link(let target)? = try? node(next).content else {
                done = next
                continue
            }
            links += 1
            guard links <= Self.maximumLinks else { throw .failed(.tooManySymbolicLinkLevels) }
            rest = ServerPath(target, in: done).components + rest
            done = .root
        }
        return done
    }

    /// The node at a path on which there are no symbolic links.
    private func node(_ path: ServerPath) throws(StorageError) -> MemoryTree.Node {
        var node = root
        for name in path.components {
            if node.isDenied { throw .denied }
            guard case .directory(let directory) = node.content else { throw .notDirectory }
            guard let child = directory.children[name] else { throw .notFound }
            node = child
        }
        return node
    }
}
