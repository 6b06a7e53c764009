internal import Threading
package import Vocabulary

/// Files in memory that a server serves and a test looks at. Any thread may call everything.
///
/// ```swift
/// let tree = MemoryTree()
/// tree.add("docs/readme.txt", text: "hello")
/// tree.addHole("huge.bin", size: 5 << 30)
/// // … a client does something …
/// #expect(tree.contents(of: "docs/readme.txt") == Array("hello".utf8))
/// ```
///
/// Paths are ``ServerPath``: literals, or built from raw names for bytes that are not text. Parents are made as needed.
package final class MemoryTree: Sendable {
    struct Node {
        var attributes: StorageAttributes
        var content: Content
        /// The size that the server claims, where a test made it lie.
        var claimedSize: Int64?
        /// Whether everything that is tried with it is refused.
        var isDenied = false
        /// Counts the entries of the tree, so that listings keep the order in which they came.
        let serial: Int
    }

    enum Content {
        case file(MemoryFile)
        case directory(Directory)
        case link([UInt8])
    }

    /// A class, so that changing one entry of many does not copy the others. Reached only through the monitor.
    final class Directory {
        var children: [[UInt8]: Node] = [:]
    }

    struct State {
        var root: Node
        var serial = 0
        /// What the tree takes for the present; `nil`: what the machine's clock says.
        var now: Timestamp?
        /// By how much all files together may still grow; more is `noSpace`.
        var freeSpace = Int64.max

        /// The present.
        var time: Timestamp { now ?? currentTime() }
    }

    let state: Monitor<State>

    /// When what a test adds was last changed unless it says otherwise: 2024-02-29T12:34:56Z, a leap day.
    package static let defaultTime = Timestamp(seconds: 1_709_210_096)

    /// An empty tree.
    package init() {
        let root = Node(
            attributes: StorageAttributes(kind: .directory, modified: Self.defaultTime, mode: 0o755, links: 2),
            content: .directory(Directory()), serial: 0)
        state = Monitor(State(root: root))
    }

    /// What the byte at an offset of a patterned file is. Neighbouring blocks differ, so a wrong offset shows.
    package static func patternByte(at offset: Int64) -> UInt8 {
        UInt8(truncatingIfNeeded: offset ^ (offset >> 8) &* 31 ^ (offset >> 16) &* 17 ^ (offset >> 24))
    }

    // MARK: Making

    /// Adds a file, in the place of whatever has that name.
    package func add(_ path: ServerPath, contents: [UInt8], modified: Timestamp? = nil, mode: UInt32 = 0o644) {
        insert(path, .file(MemoryFile(contents)), StorageAttributes(kind: .file, mode: mode), modified)
    }

    /// Adds a file whose content is the UTF-8 of a text.
    package func add(_ path: ServerPath, text: String, modified: Timestamp? = nil, mode: UInt32 = 0o644) {
        add(path, contents: Array(text.utf8), modified: modified, mode: mode)
    }

    /// Adds a file of any size that takes no memory: it reads as ``patternByte(at:)``.
    package func addPattern(_ path: ServerPath, size: Int64, modified: Timestamp? = nil) {
        let file = MemoryFile(size: size, filling: .pattern)
        insert(path, .file(file), StorageAttributes(kind: .file), modified)
    }

    /// Adds a file of any size that takes no memory: it reads as zeros.
    package func addHole(_ path: ServerPath, size: Int64, modified: Timestamp? = nil) {
        insert(path, .file(MemoryFile(size: size)), StorageAttributes(kind: .file), modified)
    }

    /// Adds a directory and those above it; what exists stays.
    package func addDirectory(_ path: ServerPath, modified: Timestamp? = nil, mode: UInt32 = 0o755) {
        guard kind(of: path) != .directory else { return }
        let attributes = StorageAttributes(kind: .directory, mode: mode, links: 2)
        insert(path, .directory(Directory()), attributes, modified)
    }

    /// Adds a symbolic link; its target is relative to the link's directory, or from the root of the tree.
    package func addLink(_ path: ServerPath, target: String) {
        insert(path, .link(Array(target.utf8)), StorageAttributes(kind: .symbolicLink, mode: 0o777), nil)
    }

    /// Adds `count` small files `<prefix>000000`, `<prefix>000001`, … to a directory.
    package func addMany(_ count: Int, in directory: ServerPath, prefix: String = "file", size: Int64 = 0) {
        for number in 0..<count {
            let digits = String(number)
            let name = prefix + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
            insert(
                directory.appending(Array(name.utf8)), .file(MemoryFile(size: size)), StorageAttributes(kind: .file),
                nil)
        }
    }

    /// Removes a thing and all that is in it; nothing happens if there is none.
    package func remove(_ path: ServerPath) {
        guard let name = path.name else { return }
        state.withLock { state in
            guard let parent = try? state.directory(path.parent) else { return }
            parent.children[name] = nil
        }
    }

    // MARK: Lying

    /// Lets listings and SIZE claim a size that the content does not have; `nil` makes them tell the truth.
    package func claimSize(_ size: Int64?, of path: ServerPath) { change(path) { $0.claimedSize = size } }

    /// Sets when a thing was last changed.
    package func setModified(_ time: Timestamp, of path: ServerPath) { change(path) { $0.attributes.modified = time } }

    /// Sets permission bits; they are shown, not enforced. ``setDenied(_:of:)`` enforces.
    package func setMode(_ mode: UInt32, of path: ServerPath) { change(path) { $0.attributes.mode = mode } }

    /// Lets everything that clients try with this thing, or in it, fail as `denied`.
    package func setDenied(_ denied: Bool, of path: ServerPath) { change(path) { $0.isDenied = denied } }

    /// Sets by how many bytes all files together may still grow; what a client writes beyond that fails as `noSpace`
    /// (552). What is removed gives nothing back.
    package func setFreeSpace(_ bytes: Int64) { state.withLock { $0.freeSpace = bytes } }

    /// Sets the clock from which things take their time when clients make or change them; it then stands still. `nil`:
    /// the machine's clock.
    package func setNow(_ time: Timestamp?) { state.withLock { $0.now = time } }

    /// Takes some of the free space. - Returns: false when there is not so much.
    func takeSpace(_ bytes: Int64) -> Bool {
        state.withLock { state in
            guard bytes <= state.freeSpace else { return false }
            state.freeSpace -= bytes
            return true
        }
    }

    // MARK: Looking

    /// The content of a file, `nil` if there is none. The whole file is copied: not for a huge one.
    package func contents(of path: ServerPath) -> [UInt8]? {
        guard let file = file(path) else { return nil }
        let size = Int(clamping: file.size)
        // An array without room is one that all share, and its count would be written by all.
        if size == 0 { return [] }
        return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
            count = file.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0)
        }
    }

    /// Some bytes of a file; fewer at its end, `nil` if there is no such file.
    package func contents(of path: ServerPath, at offset: Int64, count: Int) -> [UInt8]? {
        guard let file = file(path) else { return nil }
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = file.read(
                into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count])), at: offset)
        }
    }

    /// The true size of a file, `nil` if there is none.
    package func size(of path: ServerPath) -> Int64? { file(path)?.size }

    /// What is at a path (a symbolic link as itself), `nil` if nothing is.
    package func attributes(of path: ServerPath) -> StorageAttributes? {
        state.withLock { state in (try? state.node(path, following: false))?.shownAttributes }
    }

    /// What kind of thing is at a path, `nil` if nothing is.
    package func kind(of path: ServerPath) -> StorageAttributes.Kind? { attributes(of: path)?.kind }

    /// Whether something is at a path.
    package func exists(_ path: ServerPath) -> Bool { attributes(of: path) != nil }

    /// The names in a directory, in the order in which they came; empty if there is no such directory.
    package func names(in directory: ServerPath) -> [[UInt8]] {
        state.withLock { state in
            let children = (try? state.directory(directory))?.children ?? [:]
            return children.sorted { $0.value.serial < $1.value.serial }.map(\.key)
        }
    }

    /// What a symbolic link points to, `nil` if there is no link.
    package func linkTarget(of path: ServerPath) -> [UInt8]? {
        state.withLock { state in
            guard case .link(let target) = (try? state.node(path, following: false))?.content else { return nil }
            return target
        }
    }

    private func file(_ path: ServerPath) -> MemoryFile? {
        state.withLock { state in
            guard case .file(let file) = (try? state.node(path, following: true))?.content else { return nil }
            return file
        }
    }

    private func change(_ path: ServerPath, _ body: (inout Node) -> Void) {
        state.withLock { state in try? state.change(path, body) }
    }

    private func insert(
        _ path: ServerPath, _ content: sending Content, _ attributes: StorageAttributes, _ modified: Timestamp?
    ) {
        guard let name = path.name else { return }
        state.withLock { state in
            var attributes = attributes
            attributes.modified = modified ?? Self.defaultTime
            state.makeDirectories(path.parent)
            guard let parent = try? state.directory(path.parent) else { return }
            state.serial += 1
            parent.children[name] = Node(attributes: attributes, content: content, serial: state.serial)
        }
    }
}
