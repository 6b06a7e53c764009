package import FileSystem
import Threading
package import Vocabulary

/// The content of a file: bytes, or a size with bytes that follow from their offsets (for files larger than memory).
package enum Content: Hashable, Sendable {
    case bytes([UInt8])
    case pattern(size: Int64)

    var size: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .pattern(let size): size
        }
    }

    /// Copies what there is from an offset.
    func copy(from offset: Int64, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        let count = Int(max(0, min(Int64(buffer.count), size - offset)))
        switch self {
        case .bytes(let bytes):
            if count > 0 { buffer.copyBytes(from: bytes[Int(offset)..<Int(offset) + count]) }
        case .pattern:
            var done = 0
            while done < count {
                let from = Int((offset + Int64(done)) % Int64(Self.period.count))
                let part = min(count - done, Self.period.count - from)
                UnsafeMutableRawBufferPointer(rebasing: buffer[done..<done + part])
                    .copyBytes(from: Self.period[from..<from + part])
                done += part
            }
        }
        return count
    }

    /// The byte that a pattern has at an offset.
    package static func patternByte(at offset: Int64) -> UInt8 {
        period[Int(offset % Int64(period.count))]
    }

    /// What a pattern repeats: a prime number of bytes, so that no two chunks are the same.
    private static let period: [UInt8] = (0..<65_521).map { UInt8(truncatingIfNeeded: ($0 &* 2_654_435_761) >> 16) }
}

/// A file, directory or link on the server.
struct Node: Sendable {
    /// Which file it is, whatever its name.
    let id = Node.takeID()
    var kind: FileKind
    var content = Content.bytes([])
    var children: [(name: FileName, node: Node)] = []
    var target: [UInt8]?
    var modified: Timestamp
    var mode: UInt32
    /// The size that listings show, where it is not the real one.
    var announcedSize: Int64?

    init(file content: Content, _ time: Timestamp) {
        kind = .file
        self.content = content
        modified = time
        mode = 0o644
    }

    init(directory time: Timestamp) {
        kind = .directory
        modified = time
        mode = 0o755
    }

    init(link target: [UInt8], _ time: Timestamp) {
        kind = .symbolicLink
        self.target = target
        modified = time
        mode = 0o777
    }
}

extension MemoryStore.State {
    func node(_ path: RemotePath) throws(StoreError) -> Node {
        var node = root
        for name in path.components {
            guard let child = node.children.first(where: { $0.name == name }) else {
                throw StoreError(.notFound, "\(path)")
            }
            node = child.node
        }
        return node
    }

    mutating func change(_ path: RemotePath, _ body: (inout Node) throws(StoreError) -> Void) throws(StoreError) {
        try Self.change(&root, path.components[...], path, body)
    }

    private static func change(
        _ node: inout Node, _ names: ArraySlice<FileName>, _ path: RemotePath,
        _ body: (inout Node) throws(StoreError) -> Void
    ) throws(StoreError) {
        guard let name = names.first else { return try body(&node) }
        guard let index = node.children.firstIndex(where: { $0.name == name }) else {
            throw StoreError(.notFound, "\(path)")
        }
        try change(&node.children[index].node, names.dropFirst(), path, body)
    }

    mutating func add(_ path: RemotePath, _ node: Node) throws(StoreError) {
        guard let name = path.name else { throw StoreError(.exists, "the root") }
        let time = settings.time
        try change(path.parent) { parent throws(StoreError) in
            guard parent.kind == .directory else { throw StoreError(.notDirectory, "\(path)") }
            guard !parent.children.contains(where: { $0.name == name }) else { throw StoreError(.exists, "\(path)") }
            parent.children.append((name, node))
            parent.modified = time
        }
    }

    mutating func remove(_ path: RemotePath) throws(StoreError) {
        let time = settings.time
        try change(path.parent) { parent throws(StoreError) in
            guard let index = parent.children.firstIndex(where: { $0.name == path.name }) else {
                throw StoreError(.notFound, "\(path)")
            }
            parent.children.remove(at: index)
            parent.modified = time
        }
    }

    mutating func openForWriting(_ path: RemotePath, truncating: Bool) throws(StoreError) {
        let time = settings.time
        guard let old = try? node(path) else {
            return try add(path, Node(file: .bytes([]), time))
        }
        guard old.kind == .file else { throw StoreError(.denied, "\(path): not a plain file") }
        try change(path) { node in
            if truncating { node.content = .bytes([]) }
            node.modified = time
            node.announcedSize = nil
        }
    }

    /// What a listing shows.
    func shown(_ node: Node) -> RemoteAttributes {
        let seconds = node.modified.seconds - node.modified.seconds % step
        return RemoteAttributes(
            kind: node.kind,
            size: node.kind == .file && settings.showsSizes ? node.announcedSize ?? node.content.size : nil,
            modified: settings.showsTimes ? Timestamp(seconds: seconds) : nil,
            timePrecision: settings.precision, mode: settings.showsModes ? node.mode : nil, linkTarget: node.target)
    }

    private var step: Int64 {
        switch settings.precision {
        case .second: 1
        case .minute: 60
        case .day: 86_400
        }
    }
}

extension MemoryStore {
    /// The path of a string like `a/b`.
    package static func path(_ string: String) -> RemotePath {
        RemotePath(string.utf8.split(separator: 0x2F).compactMap { try? FileName(validating: $0) })
    }

    /// Puts a file on the server, as another client would; directories above are made.
    package func put(_ path: String, _ content: Content, announcedSize: Int64? = nil) {
        put(path) { time in
            var node = Node(file: content, time)
            node.announcedSize = announcedSize
            return node
        }
    }

    /// Puts a file with this text on the server.
    package func put(_ path: String, _ text: String) { put(path, .bytes(Array(text.utf8))) }

    /// Puts a directory on the server.
    package func putDirectory(_ path: String) { put(path) { Node(directory: $0) } }

    /// Puts a symbolic link on the server.
    package func putLink(_ path: String, to target: String) { put(path) { Node(link: Array(target.utf8), $0) } }

    /// Removes whatever is there.
    package func remove(_ path: String) {
        state.withLock { state in try? state.remove(Self.path(path)) }
    }

    /// The content of a file on the server; `nil` if there is none.
    package func content(_ path: String) -> [UInt8]? {
        state.withLock { state in
            guard let node = try? state.node(Self.path(path)), case .bytes(let bytes) = node.content,
                node.kind == .file
            else { return nil }
            return bytes
        }
    }

    /// The content of a file on the server as text.
    package func text(_ path: String) -> String? {
        content(path).map { String(decoding: $0, as: UTF8.self) }
    }

    /// What the server shows of a thing.
    package func shown(_ path: String) -> RemoteAttributes? {
        state.withLock { state in (try? state.node(Self.path(path))).map { state.shown($0) } }
    }

    /// The names in a directory on the server.
    package func names(_ path: String = "") -> [String] {
        state.withLock { state in
            ((try? state.node(Self.path(path)))?.children ?? []).map { String(decoding: $0.name.bytes, as: UTF8.self) }
        }
    }

    private func put(_ string: String, _ make: (Timestamp) -> Node) {
        let path = Self.path(string)
        state.withLock { state in
            for depth in 0..<max(0, path.components.count - 1) {
                let directory = RemotePath(Array(path.components[...depth]))
                if (try? state.node(directory)) == nil {
                    try? state.add(directory, Node(directory: state.settings.time))
                }
            }
            try? state.remove(path)
            try? state.add(path, make(state.settings.time))
        }
    }
}

extension MemoryStore {
    /// A directory with so many empty files, made at once.
    package func setManyFiles(_ directory: String, count: Int) {
        putDirectory(directory)
        state.withLock { state in
            let file = Node(file: .bytes([]), state.settings.time)
            let children = (0..<count).compactMap { index in
                (try? FileName(validating: "file-\(index)")).map { (name: $0, node: file) }
            }
            try? state.change(Self.path(directory)) { $0.children = children }
        }
    }
}
