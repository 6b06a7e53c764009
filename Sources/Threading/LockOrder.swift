#if DEBUG
#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Proves, in debug builds, that threads cannot stop for ever because of the order in which they take locks.
///
/// Each kind of state that a ``Monitor`` guards is a node; a lock of one kind that is taken while one of another kind is
/// held is an edge. As long as the edges make no circle, no set of threads can wait for each other in one, whatever
/// their timing: so a run that never came close to a deadlock finds it all the same. A lock that is taken twice by the
/// same thread is found at once. Both end the process with the names, for these are mistakes of the program, and
/// a debug build that goes on would only hang later.
///
/// Its own lock is a bare mutex, and nothing is called while it is held.
enum LockOrder {
    /// What one thread holds, the innermost last.
    private final class Held {
        var locks: [(kind: Any.Type, address: UnsafeRawPointer)] = []
    }

    private final class Graph: @unchecked Sendable {
        // Everything in it is touched with `mutex` held, which is what makes `@unchecked Sendable` true.
        var mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
        var edges: [ObjectIdentifier: Set<ObjectIdentifier>] = [:]
        var key = pthread_key_t()

        init() {
            mutex.initialize(to: pthread_mutex_t())
            pthread_mutex_init(mutex, nil)
            pthread_key_create(&key) { held in
                if let held { Unmanaged<Held>.fromOpaque(held).release() }
            }
        }

        func isReachable(_ target: ObjectIdentifier, from start: ObjectIdentifier) -> Bool {
            var seen: Set<ObjectIdentifier> = []
            var next = [start]
            while let kind = next.popLast() {
                if kind == target { return true }
                guard seen.insert(kind).inserted else { continue }
                next += edges[kind] ?? []
            }
            return false
        }
    }

    private static let graph = Graph()

    private static var held: Held {
        if let known = pthread_getspecific(graph.key) { return Unmanaged<Held>.fromOpaque(known).takeUnretainedValue() }
        let new = Held()
        pthread_setspecific(graph.key, Unmanaged.passRetained(new).toOpaque())
        return new
    }

    /// A lock is about to be taken.
    static func willLock(_ kind: Any.Type, _ address: UnsafeRawPointer) {
        let held = held
        if let outer = held.locks.last {
            if held.locks.contains(where: { $0.address == address }) {
                preconditionFailure("a \(kind) is entered again by the thread that is inside it")
            }
            // Two of one kind: which of them is the outer one is for the file to say that nests them.
            if outer.kind != kind { add(outer.kind, kind) }
        }
        held.locks.append((kind, address))
    }

    /// It has been released.
    static func didUnlock(_ address: UnsafeRawPointer) {
        let held = held
        if let index = held.locks.lastIndex(where: { $0.address == address }) { held.locks.remove(at: index) }
    }

    private static func add(_ outerKind: Any.Type, _ innerKind: Any.Type) {
        let (outer, inner) = (ObjectIdentifier(outerKind), ObjectIdentifier(innerKind))
        pthread_mutex_lock(graph.mutex)
        let isNew = !(graph.edges[outer]?.contains(inner) ?? false)
        let closes = isNew && graph.isReachable(outer, from: inner)
        if isNew { graph.edges[outer, default: []].insert(inner) }
        pthread_mutex_unlock(graph.mutex)
        if closes {
            preconditionFailure(
                "the locks of \(outerKind) and \(innerKind) are taken in both orders: threads can deadlock")
        }
    }
}
#endif
