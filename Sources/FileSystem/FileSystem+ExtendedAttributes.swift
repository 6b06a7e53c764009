import Threading
import Vocabulary

/// What can be asked about a file beside its content, by the name of an extended attribute:
///
/// - `url`: where it is on the server;
/// - `state`: `clean`, `dirty` when the server lacks some of it, or `uploading N %`;
/// - `checksum`: of its content, as the server counts it, where it can.
extension FileSystem {
    package func extendedAttribute(
        _ name: String, of inode: InodeNumber, _ request: Request
    ) throws(StoreError) -> [UInt8]? {
        let (path, content) = try tree.withLock { tree throws(StoreError) in
            (try tree.path(of: inode), tree.openContents.first { $0.inode == inode })
        }
        switch name {
        case "url": return configuration.place?(path)
        case "state": return Array((content.map(state) ?? "clean").utf8)
        case "checksum":
            // The server cannot know what it has not been sent; and of a directory there is none.
            guard content?.state.withLock({ $0.isDirty }) != true else { return nil }
            return try store.checksum(path, cancellation: request.cancellation)
        default: return nil
        }
    }

    private func state(_ content: FileContent) -> String {
        content.state.withLock { state in
            guard state.isDirty else { return "clean" }
            guard state.stream.isRunning, state.size > 0 else { return "dirty" }
            let sent = min(max(0, state.stream.reach), state.size)
            return "uploading \(Int(Double(sent) / Double(state.size) * 100)) %"
        }
    }
}
