import FTPClient
import FuseBridge
import Vocabulary

// What somebody wants to know who is woken because programs hang: whether the server can be reached, since when not, what
// happens next, and who waits.

extension MountStatus {
    /// A server that has worked and cannot be reached now.
    struct Outage: Hashable, Sendable {
        /// For how long.
        var span: Int64
        /// How often a connection has been tried since.
        var attempts: Int64
        /// Why the last attempt failed.
        var reason: String
        /// In how many seconds the next attempt is made; `nil`: one is under way, or is made when somebody asks.
        var nextAttempt: Int64?
        /// For how many seconds requests still wait before they fail; `nil`: they wait until it works.
        var patience: Int64?
    }

    /// A request of a program that has no answer yet.
    struct Request: Hashable, Sendable {
        var operation: String
        var process: Int64
        var program: String?
        var age: Int64
    }

    /// Enough to see what hangs.
    static let longestRequestList = 20
}

extension MountStatus.Outage {
    init(_ report: OutageReport) {
        self.init(
            span: report.span.components.seconds, attempts: Int64(report.attempts),
            reason: printable("\(report.error)".utf8), nextAttempt: report.nextAttempt?.components.seconds,
            patience: report.patience?.components.seconds)
    }

    var json: JSON {
        .object([
            ("seconds", .integer(span)), ("attempts", .integer(attempts)), ("reason", .string(reason)),
            ("next_attempt_in_seconds", nextAttempt.map(JSON.integer) ?? .null),
            ("requests_fail_in_seconds", patience.map(JSON.integer) ?? .null),
        ])
    }

    /// `nil` when there is none.
    init?(json: JSON) {
        guard let reason = json["reason"]?.stringValue else { return nil }
        self.init(
            span: json["seconds"]?.integerValue ?? 0, attempts: json["attempts"]?.integerValue ?? 0, reason: reason,
            nextAttempt: json["next_attempt_in_seconds"]?.integerValue,
            patience: json["requests_fail_in_seconds"]?.integerValue)
    }
}

extension MountStatus.Request {
    init(_ request: WaitingRequest) {
        self.init(
            operation: request.operation, process: Int64(request.process), program: request.program,
            age: request.age.components.seconds)
    }

    var json: JSON {
        .object([
            ("operation", .string(operation)), ("process", .integer(process)),
            ("program", program.map(JSON.string) ?? .null), ("age_seconds", .integer(age)),
        ])
    }

    init?(json: JSON) {
        guard let operation = json["operation"]?.stringValue else { return nil }
        self.init(
            operation: operation, process: json["process"]?.integerValue ?? 0, program: json["program"]?.stringValue,
            age: json["age_seconds"]?.integerValue ?? 0)
    }
}

extension StatusText {
    /// That the server cannot be reached, in the place where everybody looks first; nothing when it can.
    func outage(_ status: MountStatus) -> [String] {
        guard let outage = status.outage else { return [] }
        let title =
            "The server has not been reachable for \(Quantity.span(outage.span)) (\(Quantity.count(outage.attempts, "attempt")))"
        let next = outage.nextAttempt.map { "the next attempt in \(Quantity.span($0))" }
        let requests =
            switch outage.patience {
            case nil: "requests wait until it works"
            case 0: "requests fail until it works"
            case let seconds?: "requests fail in \(Quantity.span(seconds))"
            }
        let lines = [outage.reason, [next, requests].compactMap { $0 }.joined(separator: "; ")]
        return [style.red(style.bold(title))] + lines.flatMap { folded($0, indent: 2) }
    }

    /// The requests that take longer than usual; nothing when there are none.
    func requests(_ status: MountStatus) -> [String] {
        let late = status.requests.filter { $0.age >= Self.lateness }
        guard let longest = late.first else { return [] }
        let title = "Requests: \(status.requestCount) without an answer, the oldest for \(Quantity.span(longest.age))"
        return [style.bold(title)]
            + late.prefix(Self.shownRequests).map { request in
                let age = Layout.right(Quantity.span(request.age), to: 11)
                let who = request.program.map { "\($0) (\(request.process))" } ?? "process \(request.process)"
                return
                    "  \(Layout.padded(request.operation, to: 8))\(age)  \(Layout.ending(who, within: style.columns - 24))"
            }
    }

    /// In seconds: on any link that works, a request is answered in less.
    private static let lateness: Int64 = 2
    /// Enough to see which programs hang.
    private static let shownRequests = 8
}
