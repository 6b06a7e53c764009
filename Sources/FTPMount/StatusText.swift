#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A status for people: lines that fit into 80 columns.
struct StatusText {
    let style: TerminalStyle
    /// Says when something was, given seconds since 1970.
    var clock: (Int64) -> String = StatusText.localTime

    private static let barWidth = 22

    /// The lines, each with its end.
    func text(of status: MountStatus) -> String {
        let sections = [
            heading(status), outage(status), server(status), connections(status), requests(status), uploads(status),
            leftOvers(status), keptFiles(status), cache(status), faults(status),
        ]
        return sections.filter { !$0.isEmpty }.map { $0.map { $0 + "\n" }.joined() }.joined(separator: "\n")
    }

    // MARK: - Sections

    private func heading(_ status: MountStatus) -> [String] {
        let state: String
        switch status.state {
        case .serving: state = style.green("serving") + " for \(Quantity.span(status.uptime))"
        case .ending: state = style.yellow("ending") + ": unmounted, sending what is left"
        }
        let mode = status.isReadOnly ? ", read only" : ""
        let options = status.options.isEmpty ? [] : row("options", status.options.joined(separator: " "))
        return [
            "\(style.bold(status.source)) on \(style.bold(status.mountPoint))",
            "  \(state)\(mode); process \(status.process), ftpfs \(status.version)",
        ] + options
    }

    private func server(_ status: MountStatus) -> [String] {
        let server = status.server
        let data = server.dataCommand.map { ", data connections by \($0)" } ?? ""
        var lines = [style.bold("Server")]
        lines += row("greeting", server.greeting ?? "not heard yet")
        if let encryption = server.encryption {
            lines += row("encryption", encryption)
        } else {
            lines += row("encryption", "none: commands, password and files go in the clear", style.yellow)
        }
        lines += row("commands", "listings by \(server.listingCommand)\(data)")
        if !server.features.isEmpty { lines += row("features", server.features.joined(separator: " ")) }
        lines += row("transferred", "\(Quantity.bytes(status.received)) read, \(Quantity.bytes(status.sent)) written")
        return lines
    }

    private func connections(_ status: MountStatus) -> [String] {
        var title = "Connections: \(status.connections.count) of \(status.connectionLimit)"
        if status.waiting > 0 { title += ", \(Quantity.count(status.waiting, "request")) waiting for one" }
        return [style.bold(title)] + status.connections.flatMap(connection)
    }

    private func connection(_ connection: MountStatus.Connection) -> [String] {
        let number = Layout.right("\(connection.id)", to: 4)
        // Blanks are not coloured: they may be at the end of the line.
        let blanks = String(repeating: " ", count: max(0, 11 - connection.state.count))
        let age = Layout.right(connection.age.map(Quantity.span) ?? "", to: 11)
        let room = style.columns - 30
        guard let path = connection.path else {
            // What an idle one did last says nothing.
            let doing = connection.state == "idle" ? "" : "  " + Layout.ending(connection.command ?? "", within: room)
            let shown = connection.state == "idle" ? style.dim(connection.state) : style.cyan(connection.state)
            return [Layout.trimmed("\(number)  \(shown)\(blanks)\(age)\(doing)")]
        }
        let ahead = connection.isAhead ? " (ahead)" : ""
        let line =
            "\(number)  \(style.cyan(connection.state))\(blanks)\(age)  \(Layout.ending(path, within: room - ahead.count))\(ahead)"
        return [line, progress(connection.bytes, connection.total, connection.rate)]
    }

    private func uploads(_ status: MountStatus) -> [String] {
        guard status.uploadCount > 0 else { return [style.bold("Uploads: nothing is unsent")] }
        let title =
            "Uploads: \(Quantity.count(status.uploadCount, "file")), \(Quantity.bytes(status.unsentBytes)) unsent"
        var lines = [style.bold(title)]
        for upload in status.uploads {
            let state = Layout.padded(upload.state.rawValue, to: 9)
            let size = Layout.right(Quantity.bytes(upload.total), to: 11)
            let line = "\(size)  \(Layout.ending(upload.path, within: style.columns - 26))"
            switch upload.state {
            case .waiting: lines.append("  \(state)\(line)")
            case .sending:
                lines += ["  \(style.cyan(state))\(line)", progress(upload.done, upload.total, nil)]
            case .failed:
                lines.append("  \(style.red(state))\(line)")
                let times = upload.attempts.map { Quantity.count($0, "attempt") }
                let again = upload.retryIn.map { $0 > 0 ? "again in \(Quantity.span($0))" : "again now" }
                let notes = [times, again].compactMap { $0 }.joined(separator: ", ")
                let reason = (upload.reason ?? "") + (notes.isEmpty ? "" : " (\(notes))")
                lines += folded(reason, indent: 11).map(style.red)
            }
        }
        let rest = status.uploadCount - Int64(status.uploads.count)
        if rest > 0 { lines.append("  and \(Quantity.count(rest, "more file"))") }
        return lines
    }

    private func cache(_ status: MountStatus) -> [String] {
        let cache = status.cache
        let limit = cache.spoolLimit.map { " of at most \(Quantity.bytes($0))" } ?? ""
        let names = "\(Quantity.count(cache.names, "name")) known, \(Quantity.count(cache.inodes, "inode"))"
        return [style.bold("Caches")]
            + row("content", "\(Quantity.bytes(cache.contentBytes)) of at most \(Quantity.bytes(cache.contentLimit))")
            + row("directories", "\(names); open: \(cache.handles)")
            + row("spool", "\(Quantity.bytes(cache.spoolBytes))\(limit) in \(cache.spoolDirectory)")
    }

    private func faults(_ status: MountStatus) -> [String] {
        guard !status.faults.isEmpty else { return [style.bold("Recent problems: none")] }
        return [style.bold("Recent problems")]
            + status.faults.flatMap { fault -> [String] in
                let isMild = fault.level == "notice"
                let times = fault.times > 1 ? " (\(fault.times) times)" : ""
                let head = "  \(clock(fault.time))  "
                let lines = folded(fault.text + times, indent: head.count)
                guard let first = lines.first else { return [] }
                let coloured = ([head + first.dropFirst(head.count)] + lines.dropFirst())
                return isMild ? coloured : coloured.map(style.yellow)
            }
    }

    // MARK: - Lines

    private func progress(_ done: Int64, _ total: Int64?, _ rate: Int64?) -> String {
        let indent = String(repeating: " ", count: 6)
        let speed = rate.map { ", \(Quantity.rate($0))" } ?? ""
        guard let total else { return "\(indent)\(Quantity.bytes(done))\(speed)" }
        let left = rate.flatMap { rate -> String? in
            guard rate > 0, total > done else { return nil }
            return ", \(Quantity.span((total - done) / rate)) left"
        }
        let bar = Layout.bar(done, of: total, width: Self.barWidth)
        let percent = Layout.right("\(Quantity.percent(done, of: total))", to: 3)
        return "\(indent)\(style.cyan(bar)) \(percent) % of \(Quantity.bytes(total))\(speed)\(left ?? "")"
    }

    private func row(_ title: String, _ text: String, _ colour: (String) -> String = { $0 }) -> [String] {
        let width = 15
        return folded(text, indent: width).enumerated().map { index, line in
            let content = line.dropFirst(width)
            return (index == 0 ? Layout.padded("  \(title)", to: width) : String(repeating: " ", count: width))
                + colour(String(content))
        }
    }

    func folded(_ text: String, indent: Int) -> [String] {
        Layout.folded(text, within: max(20, style.columns - indent)).map { String(repeating: " ", count: indent) + $0 }
    }

    /// The clock of this machine: the time of today, else with the date.
    static func localTime(_ seconds: Int64) -> String {
        func parts(_ seconds: Int64) -> tm {
            var time = time_t(seconds)
            var parts = tm()
            localtime_r(&time, &parts)
            return parts
        }
        func two(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let then = parts(seconds)
        let now = parts(Int64(time(nil)))
        let clock = "\(two(then.tm_hour)):\(two(then.tm_min)):\(two(then.tm_sec))"
        guard then.tm_year != now.tm_year || then.tm_yday != now.tm_yday else { return clock }
        return "\(Int(then.tm_year) + 1900)-\(two(then.tm_mon + 1))-\(two(then.tm_mday)) \(clock)"
    }
}
