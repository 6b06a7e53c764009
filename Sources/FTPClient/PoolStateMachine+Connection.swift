import Threading

/// What the machine knows of one connection.
extension PoolStateMachine {
    enum Use {
        case opening
        case idle(since: Instant)
        case leased(Work, since: Instant, asked: Bool)
        /// Being recovered or kept alive; idle when that is done.
        case serviced
    }

    struct Connection {
        let id: ConnectionID
        var use: Use
        /// While leased to a stream: since when its bytes flow, and what it has taken to get there.
        var flow: (since: Instant, cost: Duration)?

        /// The request whose answer its holder works on ahead of anybody's wish.
        var ahead: RequestID?

        /// While idle: since when its next data connection is being made, or is there.
        var preparedSince: Instant?

        /// That was so, and by now somebody waits for it.
        var isPromoted = false

        var isAhead: Bool { ahead != nil }

        var isOpening: Bool {
            if case .opening = use { true } else { false }
        }

        var isServiced: Bool {
            if case .serviced = use { true } else { false }
        }

        var isIdle: Bool {
            if case .idle = use { true } else { false }
        }

        /// Doing what somebody waits for, and soon done with it: what was begun ahead is small.
        var isBriefly: Bool {
            switch use {
            case .leased(.metadata, _, _): !isAhead
            case .leased(.reading, _, _): isPromoted
            case .leased(.writing, _, _), .opening, .idle, .serviced: false
            }
        }

        var isAsked: Bool {
            if case .leased(_, _, asked: true) = use { true } else { false }
        }
    }
}
