package import FileSystem
package import Threading
package import Vocabulary

extension MemoryStore {
    /// For each listing, whether the directory was known from its parent.
    package var knownListings: [Bool] { state.withLock { $0.knownListings } }

    package func listing(
        of directory: RemotePath, isKnown: Bool, urgency: Urgency, cancellation: Cancellation
    ) throws(StoreError) -> RemoteListing {
        let limit = state.withLock { state in
            state.knownListings.append(isKnown)
            return state.settings.listingLimit ?? .max
        }
        let all = try list(directory, urgency: urgency, cancellation: cancellation)
        return RemoteListing(entries: Array(all.prefix(limit)), isComplete: all.count <= limit)
    }

    package func shownTarget(_ target: [UInt8], ofLinkAt path: RemotePath) throws(StoreError) -> [UInt8] {
        guard state.withLock({ $0.settings.movesLinks }) else { return target }
        if target == Array("OUT".utf8) { throw StoreError(.notPermitted, "leads out") }
        return path.parent.components.flatMap { _ in Array("../".utf8) } + target
    }
}
