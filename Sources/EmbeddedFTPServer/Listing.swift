/// What LIST, NLST and STAT name: the argument understood as the dialect does, and what is there.
struct Listing {
    /// Whether the options say that names with a dot in front are wanted.
    private(set) var isAll = false
    /// What is left of the argument behind the options; empty for the working directory.
    private(set) var target: [UInt8]

    /// Splits off the options, if the dialect knows any.
    init(_ argument: [UInt8], _ quirks: Dialect.Quirks) {
        target = argument
        guard quirks.contains(.listsWithOptions) else { return }
        while target.first == UInt8(ascii: "-") {
            let options = target.prefix { $0 != 0x20 }
            if options.contains(UInt8(ascii: "a")) { isAll = true }
            target = Array(target.dropFirst(options.count).drop { $0 == 0x20 })
        }
    }

    /// The entries that an argument names, as the dialect would list them; with `showsAll` as if `-a` were among its
    /// options.
    static func entries(
        _ session: Session, _ argument: [UInt8], showsAll: Bool = false, without ignored: Dialect.Quirks = []
    ) -> Result<[StorageEntry], StorageError> {
        let quirks = session.dialect.quirks.subtracting(ignored)
        var listing = Listing(argument, quirks)
        if showsAll { listing.isAll = true }
        return Result { [listing] () throws(StorageError) in
            if quirks.contains(.ignoresListArgument) || listing.target.isEmpty {
                return try listing.directory(session, session.directory)
            }
            guard quirks.contains(.splitsListArgumentAtBlanks) else {
                return try listing.entries(session, listing.target, quirks)
            }
            var all: [StorageEntry] = []
            for part in listing.target.split(separator: 0x20) {
                all += try listing.entries(session, Array(part), quirks)
            }
            return all
        }
    }

    private func entries(
        _ session: Session, _ target: [UInt8], _ quirks: Dialect.Quirks
    ) throws(StorageError) -> [StorageEntry] {
        let path = session.path(target)
        if quirks.contains(.expandsPatterns), let name = path.name, let pattern = NamePattern(name) {
            let isThere = (try? session.storage.attributes(of: path, following: false)) != nil
            if !(isThere && quirks.contains(.prefersLiteralName)) {
                let all = try session.storage.list(path.parent)
                return all.filter { pattern.matches($0.name) && isShown($0.name, quirks) }
            }
        }
        let itself = try session.storage.attributes(of: path, following: false)
        if itself.kind == .symbolicLink && quirks.contains(.listsLinkItself) {
            return try session.storage.list(path.parent).filter { $0.name == path.name }
        }
        let attributes = try session.storage.attributes(of: path, following: true)
        if attributes.kind == .directory { return try directory(session, path) }
        return [StorageEntry(name: path.name ?? target, attributes: attributes)]
    }

    /// Everything in a directory that is shown.
    private func directory(_ session: Session, _ path: ServerPath) throws(StorageError) -> [StorageEntry] {
        let quirks = session.dialect.quirks
        if quirks.contains(.entersFiles) {
            let attributes = try session.storage.attributes(of: path, following: true)
            if attributes.kind == .file { return [StorageEntry(name: path.name ?? [], attributes: attributes)] }
        }
        let entries = try session.storage.list(path).filter { isShown($0.name, quirks) }
        guard isAll && quirks.contains(.listsDotAndDotDot) else { return entries }
        return try Self.dots(session, path) + entries
    }

    private func isShown(_ name: [UInt8], _ quirks: Dialect.Quirks) -> Bool {
        let isHidden = name.first == UInt8(ascii: ".")
        if isAll, quirks.contains(.listsOnlyDotFilesWithOption) { return isHidden }
        return isAll || !isHidden || !quirks.contains(.hidesDotFiles)
    }

    /// `.` and `..` of a directory.
    static func dots(_ session: Session, _ path: ServerPath) throws(StorageError) -> [StorageEntry] {
        [
            StorageEntry(
                name: Array(".".utf8), attributes: try session.storage.attributes(of: path, following: true)),
            StorageEntry(
                name: Array("..".utf8), attributes: try session.storage.attributes(of: path.parent, following: true)),
        ]
    }
}
