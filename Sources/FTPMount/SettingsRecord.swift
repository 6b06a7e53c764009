import FTPClient

/// What the waiting process hands to the mounting one, through a pipe: never as arguments or environment, which others
/// can read.
///
/// The texts that were given go over, not what they mean: they are then understood by the same code on both sides, so
/// there is no second form of the settings that could fall behind the first. Only users and passwords are results.
struct SettingsRecord {
    var program: String
    /// The URL without user and password.
    var source: String
    var mountPoint: String
    var optionTexts: [[UInt8]]
    var isDebug: Bool
    var credentials: Credentials
    var proxy: Proxy?

    init(plan: MountPlan, credentials: Credentials) {
        program = plan.program
        source = plan.address.sourceName
        mountPoint = plan.mountPoint
        optionTexts = plan.optionTexts
        isDebug = plan.isDebug
        proxy = plan.proxy
        self.credentials = credentials
    }

    /// The fields one after the other, each behind its length in four bytes, the lowest first.
    var encoded: [UInt8] {
        let fields =
            [
                Array(program.utf8), Array(source.utf8), Array(mountPoint.utf8), [isDebug ? 1 : 0], credentials.user,
                credentials.password.bytes, credentials.account ?? [], proxy?.url.bytes ?? [],
            ] + optionTexts
        return fields.flatMap { field in
            (0..<4).map { UInt8(truncatingIfNeeded: field.count >> ($0 * 8)) } + field
        }
    }

    /// Reads what ``encoded`` wrote; `nil` for anything else.
    init?(decoding bytes: [UInt8]) {
        var fields: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            guard rest.count >= 4 else { return nil }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard rest.count >= length else { return nil }
            fields.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        guard fields.count >= 8, fields[3].count == 1 else { return nil }
        program = String(decoding: fields[0], as: UTF8.self)
        source = String(decoding: fields[1], as: UTF8.self)
        mountPoint = String(decoding: fields[2], as: UTF8.self)
        isDebug = fields[3] == [1]
        credentials = Credentials(user: fields[4], password: Secret(fields[5]))
        // The empty one says nothing, and none is sent.
        credentials.account = fields[6].isEmpty ? nil : fields[6]
        proxy = Proxy(parsing: fields[7])
        // Without the proxy that somebody wants nothing may be sent at all.
        guard proxy != nil || fields[7].isEmpty else { return nil }
        optionTexts = Array(fields[8...])
    }
}
