import Threading

/// What follows from the rules at the top of `PoolStateMachine.swift`, after each event.
extension PoolStateMachine {
    /// Applies the rules until nothing more follows from them.
    mutating func settle(_ now: Instant) -> [Action] {
        guard !isShutDown else { return [] }
        settledAt = max(settledAt ?? now, now)
        forgetOldLessons(now)
        var actions = grantIdle(now)
        if connections.isEmpty, !queue.isEmpty, let loginRefusal = reachability.loginRefusal {
            return actions + failEverybody(loginRefusal)
        }
        actions += open(now)
        actions += serveAhead(now)
        actions += askForYields(now)
        actions += maintainIdle(now)
        actions += forgetPreparations(now)
        return actions
    }

    private mutating func forgetOldLessons(_ now: Instant) {
        if let until = learned?.until, now >= until { learned = nil }
        if let resumes = growthResumes, now >= resumes { growthResumes = nil }
        reachability.age(now)
    }

    private mutating func grantIdle(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        while !queue.isEmpty, let latest = latestIdle, let request = queue.popFirst() {
            let index = request.work == .metadata ? latest : preparedIdle ?? latest
            noteHurry(index, request.work, now)
            actions.append(grant(request, index, isAhead: false, now))
        }
        return actions + relieveHurry(now)
    }

    private mutating func grant(_ request: PoolQueue.Request, _ index: Int, isAhead: Bool, _ now: Instant) -> Action {
        connections[index].use = .leased(request.work, since: now, asked: false)
        connections[index].flow = nil
        connections[index].ahead = isAhead ? request.id : nil
        connections[index].isPromoted = false
        connections[index].preparedSince = nil
        return .grant(request.id, connections[index].id)
    }

    private mutating func serveAhead(_ now: Instant) -> [Action] {
        guard queue.aheadCount > 0, queue.isEmpty else { return [] }
        var actions: [Action] = []
        while let index = latestIdle, count(where: \.isIdle) + count(where: \.isBriefly) > 1,
            let request = queue.popAhead()
        {
            let index = request.work == .metadata ? index : preparedIdle ?? index
            actions.append(grant(request, index, isAhead: true, now))
        }
        // Only beside a connection that works: a server that is down is not asked for what nobody wants.
        while connections.count < limitForAhead, queue.aheadCount > count(where: \.isOpening), mayOpenAnother,
            growthResumes == nil, connections.contains(where: { !$0.isOpening }), limit > 1
        {
            actions.append(addConnection())
        }
        return actions
    }

    private mutating func open(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        while queue.count > count(where: \.isOpening), mayOpenAnother, mayOpen(now) {
            actions.append(addConnection())
        }
        return actions
    }

    private var mayOpenAnother: Bool {
        connections.count < limit && count(where: \.isOpening) < settings.opensAtOnce
    }

    private func mayOpen(_ now: Instant) -> Bool {
        if !connections.contains(where: { !$0.isOpening }) {
            return connections.isEmpty && reachability.nextAttempt == nil
        }
        return growthResumes == nil
    }

    private mutating func askForYields(_ now: Instant) -> [Action] {
        // What is about to come free anyway need not be asked for.
        var lacking = queue.count
        lacking -= count { connection in
            if case .leased(_, let since, asked: false) = connection.use {
                return connection.isAhead && now.since(since) < settings.aheadSlice
            }
            return connection.isOpening || connection.isServiced || connection.isAsked
        }
        var actions: [Action] = []
        // Who works ahead first, then the longest holder.
        let holders = connections.indices.compactMap { index -> (index: Int, since: Instant)? in
            guard case .leased(.reading, let since, asked: false) = connections[index].use else { return nil }
            return (index, since)
        }
        func isEarlier(_ one: (index: Int, since: Instant), _ other: (index: Int, since: Instant)) -> Bool {
            let (isAhead, otherIsAhead) = (connections[one.index].isAhead, connections[other.index].isAhead)
            return isAhead == otherIsAhead ? one.since < other.since : isAhead
        }
        for holder in holders.sorted(by: isEarlier) where lacking > 0 {
            let isDue = yieldTime(of: connections[holder.index], since: holder.since) <= now
            guard isDue else { continue }
            connections[holder.index].use = .leased(.reading, since: holder.since, asked: true)
            actions.append(.askToYield(connections[holder.index].id))
            lacking -= 1
        }
        return actions
    }

    /// From when on a stream gives way to those who wait now.
    func yieldTime(of connection: Connection, since: Instant) -> Instant {
        if connection.isAhead { return since.advanced(by: settings.aheadSlice) }
        guard let flow = connection.flow else { return queue.hasMetadata ? since : since.advanced(by: settings.slice) }
        if queue.hasMetadata { return flow.since.advanced(by: min(flow.cost, settings.slice)) }
        // What it costs to take it up again is to be a fifth of the whole.
        return flow.since.advanced(by: max(settings.slice, min(flow.cost * 4, settings.longestSlice)))
    }

    private mutating func maintainIdle(_ now: Instant) -> [Action] {
        var actions: [Action] = []
        for (index, connection) in connections.enumerated() {
            guard case .idle(let since) = connection.use else { continue }
            if index == 0, now.since(since) >= settings.keepAlive {
                connections[index].use = .serviced
                actions.append(.keepAlive(connection.id))
            } else if index > 0, now.since(since) >= settings.idleExtra {
                actions.append(.close(connection.id))
            }
        }
        for case .close(let id) in actions { remove(id) }
        return actions
    }

    private var latestIdle: Int? {
        var latest: (index: Int, since: Instant)?
        for (index, connection) in connections.enumerated() {
            guard case .idle(let since) = connection.use else { continue }
            if let known = latest, known.since >= since { continue }
            latest = (index, since)
        }
        return latest?.index
    }

    mutating func failEverybody(_ error: FTPError) -> [Action] {
        queue.removeAll().map { .fail($0, error) }
    }
}
