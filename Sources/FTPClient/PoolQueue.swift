import DequeModule

/// Who waits for a connection, and in which order they get one: of those that somebody waits for, metadata work before
/// transfers, but after `metadataRun` grants of metadata in a row a transfer that waits; what is done ahead by itself.
struct PoolQueue {
    typealias RequestID = PoolStateMachine.RequestID

    struct Request {
        let id: RequestID
        let work: PoolStateMachine.Work
    }

    private var metadata: Deque<Request> = []
    private var transfers: Deque<Request> = []
    private var ahead: Deque<Request> = []
    /// Grants of metadata in a row while a transfer waited.
    private var metadataGrants = 0
    private let metadataRun: Int

    init(metadataRun: Int) { self.metadataRun = metadataRun }

    /// How many wait, without what is done ahead.
    var count: Int { metadata.count + transfers.count }
    var isEmpty: Bool { count == 0 }
    /// Whether any of them is short, and somebody looks at the screen for it.
    var hasMetadata: Bool { !metadata.isEmpty }
    /// How much is to be done ahead.
    var aheadCount: Int { ahead.count }

    mutating func append(_ request: Request, isAhead: Bool = false) {
        if isAhead {
            ahead.append(request)
        } else if request.work == .metadata {
            metadata.append(request)
        } else {
            transfers.append(request)
        }
    }

    /// Somebody waits by now for what was to be done ahead.
    ///
    /// - Returns: whether it was here.
    mutating func promote(_ id: RequestID) -> Bool {
        guard let index = ahead.firstIndex(where: { $0.id == id }) else { return false }
        append(ahead.remove(at: index))
        return true
    }

    mutating func withdraw(_ id: RequestID) {
        metadata.removeAll { $0.id == id }
        transfers.removeAll { $0.id == id }
        ahead.removeAll { $0.id == id }
    }

    /// Takes the next that somebody waits for.
    mutating func popFirst() -> Request? {
        if hasMetadata, transfers.isEmpty || metadataGrants < metadataRun {
            metadataGrants = transfers.isEmpty ? 0 : metadataGrants + 1
            return metadata.popFirst()
        }
        metadataGrants = 0
        return transfers.popFirst()
    }

    /// Takes the next that is done ahead.
    mutating func popAhead() -> Request? { ahead.popFirst() }

    /// Takes everything.
    mutating func removeAll() -> [RequestID] {
        defer {
            metadata.removeAll()
            transfers.removeAll()
            ahead.removeAll()
        }
        return (metadata + transfers + ahead).map(\.id)
    }
}
