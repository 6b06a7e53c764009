import FTPProtocol

/// Which commands have gone out whose final replies are still to come. No I/O: ``ControlConnection`` tells what it sent and
/// what came, and does what follows.
struct AwaitedReplies {
    private struct Item {
        let verb: String
        /// Whose business the reply is, if nobody waits for it.
        var taker: ((Reply) -> Void)?
    }

    /// What to do about a reply.
    enum Meaning {
        /// It is for whoever waits.
        case answer
        /// It has a taker; `nil`: it is a 1yz to that command, which means nothing.
        case deferred(((Reply) -> Void)?)
        /// More replies than any conversation has.
        case tooMany
    }

    /// In the order in which they went out.
    private var items: [Item] = []
    /// Whether a 1yz of the first of them has come: the server has begun to act on it.
    private(set) var hasBegun = false
    /// How many replies have been taken since the last command. More than a few are a server that has lost its place, or
    /// one that wants to keep this client busy; a wait's deadline would not end that, since nothing is waited for.
    private var taken = 0
    private static let maximum = ReplyParser.maximumWaitingReplies

    var isEmpty: Bool { items.isEmpty }
    /// The verb of the command whose reply comes next.
    var next: String? { items.first?.verb }
    /// The verb of the first command that somebody has to wait for.
    var outstanding: String? { items.first { $0.taker == nil }?.verb }
    /// Whether the reply to a deferred command is still to come.
    var hasDeferred: Bool { items.contains { $0.taker != nil } }
    /// Whether the reply that comes next is to a deferred command.
    var isNextDeferred: Bool { items.first?.taker != nil }

    /// Commands have gone out.
    mutating func sent(_ verbs: [String]) {
        items += verbs.map { Item(verb: $0) }
        taken = 0
    }

    /// One of the last commands is deferred. - Parameter place: counted from the end, which is 1.
    mutating func deferReply(at place: Int, to taker: @escaping (Reply) -> Void) {
        guard items.indices.contains(items.count - place) else { return }
        items[items.count - place].taker = taker
    }

    /// Only this command counts any more, or none.
    mutating func restart(with verb: String? = nil) {
        items = verb.map { [Item(verb: $0)] } ?? []
        hasBegun = false
        taken = 0
    }

    /// A reply has come.
    mutating func came(_ reply: Reply) -> Meaning {
        taken += 1
        guard taken <= Self.maximum else { return .tooMany }
        // After a 421 there is nothing to take; it is for everybody.
        if reply.code != 421, let taker = items.first?.taker {
            if reply.category == .preliminary { return .deferred(nil) }
            settleFirst()
            return .deferred(taker)
        }
        if reply.category == .preliminary { hasBegun = true }
        return .answer
    }

    /// The first of them has had its final reply.
    mutating func settleFirst() {
        if !items.isEmpty { items.removeFirst() }
        hasBegun = false
    }
}
