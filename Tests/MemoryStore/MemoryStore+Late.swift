import Synchronization
import Threading
import Vocabulary

/// Uploads whose connection is lost, and whose last bytes the server writes later, whenever it comes to them, as a process of
/// it does that goes on reading a data connection: into the file that it had opened, whatever name that has by then.
extension MemoryStore {
    /// Bytes that have been sent and not been written.
    struct LateWrite: Sendable {
        var file: UInt64
        /// `nil`: to the end.
        var offset: Int?
        var bytes: [UInt8]
    }

    /// The next bytes that are sent break off behind the first `count`; the others are late.
    package func breakNextSend(after count: Int) {
        state.withLock { $0.breaksAfter = count }
    }

    /// Lets the server write what is late. - Returns: how many bytes there were.
    @discardableResult
    package func deliverLate() -> Int {
        state.withLock { state in
            let writes = state.late
            state.late = []
            for write in writes { Self.deliver(write, &state.root) }
            return writes.reduce(0) { $0 + $1.bytes.count }
        }
    }

    /// Drops what is late: the connection was reset before the server had seen it.
    package func dropLate() { state.withLock { $0.late = [] } }

    private static func deliver(_ write: LateWrite, _ node: inout Node) {
        if node.id == write.file, case .bytes(var content) = node.content {
            let place = write.offset ?? content.count
            let end = place + write.bytes.count
            content += [UInt8](repeating: 0, count: max(0, end - content.count))
            content.replaceSubrange(place..<end, with: write.bytes)
            node.content = .bytes(content)
        }
        for index in node.children.indices { deliver(write, &node.children[index].node) }
    }
}

extension MemoryStore.State {
    /// What of some bytes is written now, and whether the transfer breaks with them.
    ///
    /// - Parameter place: where they go; `nil`: to the end.
    mutating func passing(_ bytes: [UInt8], to path: RemotePath, at place: Int?) -> (bytes: [UInt8], isBroken: Bool) {
        guard let limit = breaksAfter, let node = try? node(path) else { return (bytes, false) }
        breaksAfter = nil
        let rest = Array(bytes.dropFirst(limit))
        late.append(MemoryStore.LateWrite(file: node.id, offset: place.map { $0 + limit }, bytes: rest))
        return (Array(bytes.prefix(limit)), true)
    }
}

extension Node {
    private static let count = Atomic<UInt64>(0)

    /// A number that no other file has.
    static func takeID() -> UInt64 { count.add(1, ordering: .relaxed).newValue }
}
