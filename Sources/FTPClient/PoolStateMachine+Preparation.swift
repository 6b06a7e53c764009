import Threading

/// Which connections have their next data connection made ahead (`Session+Armed.swift`), and what follows from that.
///
/// Making one takes two round trips behind a transfer. A program that writes small files one after another comes back
/// before that, if there is one connection only; with two or three that take turns it never waits for a port.
extension PoolStateMachine {
    /// What is known of it beside the connections themselves.
    struct Preparation {
        /// How long it takes; `nil`: it is not done.
        var span: Duration?
        /// How many transfers in a row were granted a connection before it was ready.
        var hurried = 0
    }

    /// How many hurried transfers in a row open another connection. One alone is chance.
    private static let patience = 2

    /// How long making a data connection ahead takes from now on.
    mutating func notePreparation(takes span: Duration) { preparation.span = span }

    /// The idle connection that has been prepared for the longest; `nil`: none is.
    var preparedIdle: Int? {
        let prepared = connections.indices.filter { connections[$0].isIdle && connections[$0].preparedSince != nil }
        return prepared.min { one, other in
            guard let first = connections[one].preparedSince, let second = connections[other].preparedSince else {
                return false
            }
            return first < second
        }
    }

    /// Counts transfers that are granted a connection before its data connection can be there.
    mutating func noteHurry(_ index: Int, _ work: Work, _ now: Instant) {
        guard work != .metadata, let span = preparation.span, let since = connections[index].preparedSince else {
            return
        }
        preparation.hurried = now.since(since) < span ? preparation.hurried + 1 : 0
    }

    /// Opens another connection where transfers find none ready.
    mutating func relieveHurry(_ now: Instant) -> [Action] {
        guard preparation.hurried >= Self.patience else { return [] }
        preparation.hurried = 0
        guard connections.count < limit, growthResumes == nil, !connections.contains(where: \.isOpening) else {
            return []
        }
        return [addConnection()]
    }

    /// Gives up what nobody has used while it was young.
    mutating func forgetPreparations(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        for (index, connection) in connections.enumerated() where connection.isIdle {
            guard let since = connection.preparedSince, now.since(since) >= settings.preparationLifetime else {
                continue
            }
            connections[index].preparedSince = nil
            actions.append(.disarm(connection.id))
        }
        return actions
    }
}
