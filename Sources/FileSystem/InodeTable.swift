import Vocabulary

/// All live inodes: who they are, where they hang, and who holds them.
///
/// A number is the hash of the path at which the inode was first seen (``PathHash``), or the next free one. It stays
/// with the inode when that moves; paths are derived from the tree at the moment of use, so that a rename of an open
/// file, or of a directory above it, is right by construction. Lives in the tree's monitor.
struct InodeTable {
    private var inodes: [InodeNumber: Inode] = [:]
    private var lastVersion: UInt64 = 0
    /// How many lookups were forgotten that nobody had counted: a fault of the bridge or of the kernel, shown by the
    /// log.
    private(set) var overForgotten: UInt64 = 0

    /// A table that holds the root.
    init(root: RemoteAttributes) {
        inodes[.root] = Inode(number: .root, kind: .directory, attributes: root, version: 0)
    }

    /// How many there are besides the root.
    var count: Int { inodes.count - 1 }

    /// All of them.
    var all: some Sequence<Inode> { inodes.values }

    subscript(number: InodeNumber) -> Inode? { inodes[number] }

    /// A version that nothing has had.
    mutating func takeVersion() -> UInt64 {
        lastVersion += 1
        return lastVersion
    }

    /// The live inode of a name.
    func child(_ name: FileName, of parent: Inode) -> Inode? {
        parent.children[name].flatMap { inodes[$0] }
    }

    /// The inode of a name, made if there is none. If the name stood for another kind, that inode is detached first.
    ///
    /// - Parameter hash: the parent's, if the caller has it.
    mutating func intern(
        _ name: FileName, in parent: Inode, hash: PathHash? = nil, _ attributes: RemoteAttributes
    ) -> Inode {
        if let inode = child(name, of: parent) {
            if inode.kind == attributes.kind { return inode }
            detach(inode)
        }
        let number = freeNumber((hash ?? PathHash(path(of: parent) ?? .root)).appending(name))
        let inode = Inode(number: number, kind: attributes.kind, attributes: attributes, version: takeVersion())
        inode.place = (parent.number, name)
        parent.children[name] = number
        inodes[number] = inode
        return inode
    }

    /// The number that an entry of a directory has, or would be given now.
    func number(of name: FileName, in parent: Inode, hash: PathHash) -> InodeNumber {
        parent.children[name] ?? freeNumber(hash.appending(name))
    }

    /// The way from the root; `nil` for what hangs nowhere.
    func path(of inode: Inode) -> RemotePath? {
        var components: [FileName] = []
        var current = inode
        while current.number != .root {
            guard let place = current.place, let parent = inodes[place.parent] else { return nil }
            components.append(place.name)
            current = parent
        }
        return RemotePath(components.reversed())
    }

    /// Whether an inode is another one or lies below it.
    func isInside(_ inode: Inode, _ ancestor: InodeNumber) -> Bool {
        var current: Inode? = inode
        while let here = current {
            if here.number == ancestor { return true }
            current = here.place.flatMap { inodes[$0.parent] }
        }
        return false
    }

    /// Hangs an inode elsewhere. Whatever was there has been detached.
    func move(_ inode: Inode, to parent: Inode, _ name: FileName) {
        if let place = inode.place { inodes[place.parent]?.children[place.name] = nil }
        inode.place = (parent.number, name)
        parent.children[name] = inode.number
    }

    /// Takes an inode out of the tree; who holds it keeps it.
    mutating func detach(_ inode: Inode) {
        guard let place = inode.place else { return }
        inodes[place.parent]?.children[place.name] = nil
        inode.place = nil
        inode.link = .gone
        dropUnheld(from: inode)
        if let parent = inodes[place.parent] { dropUnheld(from: parent) }
    }

    /// Counts lookups that the kernel gives back. More than it has count as all it has.
    mutating func forget(_ number: InodeNumber, count: UInt64) {
        guard let inode = inodes[number], number != .root else { return }
        if count > inode.lookups { overForgotten &+= count - inode.lookups }
        inode.lookups -= min(count, inode.lookups)
        dropUnheld(from: inode)
    }

    /// Drops an inode that nobody holds, and then its parents as far as only it held them.
    mutating func dropUnheld(from inode: Inode) {
        var current: Inode? = inode
        while let here = current, !here.isHeld, inodes[here.number] === here {
            inodes[here.number] = nil
            dropped.append(here.number)
            guard let place = here.place else { return }
            let parent = inodes[place.parent]
            parent?.children[place.name] = nil
            current = parent
        }
    }

    /// Directories and files that were dropped since this was last asked: what else is kept about them can go.
    mutating func takeDropped() -> [InodeNumber] {
        defer { dropped.removeAll() }
        return dropped
    }

    private var dropped: [InodeNumber] = []

    private func freeNumber(_ hash: PathHash) -> InodeNumber {
        var candidate = hash.number
        // 0 means "no inode", 1 is the root, and readers of directories take the largest 32-bit number as "unknown".
        while candidate <= InodeNumber.root.rawValue || candidate == 0xFFFF_FFFF
            || inodes[InodeNumber(candidate)] != nil
        {
            candidate &+= 1
        }
        return InodeNumber(candidate)
    }
}
