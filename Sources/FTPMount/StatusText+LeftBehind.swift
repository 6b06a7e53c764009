extension StatusText {
    /// What mounts that were killed have left on the server, and how to remove it; nothing when there is nothing.
    func leftOvers(_ status: MountStatus) -> [String] {
        guard status.leftOverCount > 0 else { return [] }
        let files = Quantity.count(status.leftOverCount, "temporary file")
        let title = "Left on the server: \(files), \(Quantity.bytes(status.leftOverBytes))"
        let lines = status.leftOvers.prefix(Self.shownLeftOvers).map { file in
            let size = Layout.right(file.size.map(Quantity.bytes) ?? "", to: 9)
            return
                "  \(clock(file.modified))  \(size)  \(Layout.ending(file.path, within: max(20, style.columns - 34)))"
        }
        let rest = status.leftOverCount - Int64(lines.count)
        let more = rest > 0 ? ["  and \(Quantity.count(rest, "more file"))"] : []
        return [style.bold(title)] + lines + more + ["  ftpfs clean \(status.mountPoint) removes them"]
    }

    /// Enough to see what they are; all of them have the same remedy.
    private static let shownLeftOvers = 5

    /// What is kept on this side, in one line; nothing when there is nothing. The directory tells the rest, and whoever has
    /// looked at the files removes them as any others.
    func keptFiles(_ status: MountStatus) -> [String] {
        let kept = status.kept
        let parts = [
            kept.unsent > 0 ? "\(Quantity.count(kept.unsent, "file")) not sent" : nil,
            kept.unclosed > 0 ? "\(Quantity.count(kept.unclosed, "file")) not closed when a mount was killed" : nil,
        ].compactMap { $0 }
        if parts.isEmpty { return [] }
        let title = "Kept on this side: \(parts.joined(separator: ", ")); \(Quantity.bytes(kept.bytes))"
        return [style.bold(title), "  in \(Layout.ending(kept.directory, within: max(20, style.columns - 5)))"]
    }
}
