@preconcurrency import Glibc

/// A way of making a data connection, by the command that asks for it.
enum DataMethod: String, Hashable, Sendable, CaseIterable {
    /// RFC 2428 §3: works through address translation and with IPv6.
    case extendedPassive = "EPSV"
    /// RFC 959: for servers without EPSV, and for firewalls that understand only PASV.
    case passive = "PASV"
    /// RFC 2428 §2: the server connects to a port of ours.
    case extendedActive = "EPRT"
    /// RFC 959: the same, for IPv4 only.
    case active = "PORT"

    /// Whether the server makes the connection.
    var isActive: Bool { self == .extendedActive || self == .active }

    /// Whether its command has room for the addresses of a family. A 227 names an IPv4 address, `PORT` too.
    func fits(_ family: Int32?) -> Bool {
        switch self {
        case .extendedPassive, .extendedActive: true
        case .passive, .active: family != AF_INET6
        }
    }
}

/// The ways of making data connections that the settings allow, in order of preference, and what is known of each on this
/// server. A table without I/O; all sessions of a client share it.
struct DataMethods: Hashable, Sendable {
    /// What is known of one way.
    enum Standing: Hashable, Sendable {
        case untried
        /// A data connection has been made by it.
        case proven
        /// The command works, but no data connection came about.
        case failed
        /// The server does not know the command.
        case refused
    }

    private struct Row: Hashable, Sendable {
        let method: DataMethod
        var standing = Standing.untried
    }

    private var rows: [Row]

    /// The table at the beginning.
    init(_ settings: NetworkSettings) {
        let passive: [DataMethod] =
            settings.passiveHost == .server ? [.passive, .extendedPassive] : [.extendedPassive, .passive]
        let active: [DataMethod] = [.extendedActive, .active]
        let wanted =
            switch settings.dataMode {
            case .passive: passive
            case .active: active
            case .automatic: passive + active
            }
        rows = wanted.filter { method in
            if settings.proxy != nil, method.isActive { return false }
            if method == .extendedPassive { return settings.usesExtendedPassive }
            return method != .extendedActive || settings.usesExtendedActive
        }.map { Row(method: $0) }
    }

    /// The table of somebody who wants to try this way and no other.
    init(only method: DataMethod) {
        rows = [Row(method: method)]
    }

    /// What is known of a way; `nil` for one that the settings do not allow.
    func standing(of method: DataMethod) -> Standing? { rows.first { $0.method == method }?.standing }

    /// The best way among those that can be used now, and whether it is the only one.
    ///
    /// A proven way comes first, then one that has not been tried, then one that has failed. What the server does not
    /// know comes back only when nothing else is left at all.
    func best(where isUsable: (DataMethod) -> Bool) -> (method: DataMethod, isOnly: Bool)? {
        let usable = rows.filter { isUsable($0.method) }
        let known = usable.filter { $0.standing != .refused }
        let candidates = known.isEmpty ? usable : known
        for standing in [Standing.proven, .untried, .failed, .refused] {
            if let row = candidates.first(where: { $0.standing == standing }) {
                return (row.method, candidates.count == 1)
            }
        }
        return nil
    }

    /// Adds what was learned of a way.
    mutating func note(_ standing: Standing, of method: DataMethod) {
        for index in rows.indices where rows[index].method == method { rows[index].standing = standing }
    }
}
