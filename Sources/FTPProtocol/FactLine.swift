package import Vocabulary

/// One line of `MLSD`, or of the reply to `MLST` (RFC 3659 §7.2).
///
///     entry    = [ facts ] SP pathname
///     facts    = 1*( factname "=" value ";" )
///
/// Servers bend this, and the reader follows:
///
/// 1. The names of facts, and the values of `type`, in any case; `sizd` for directories, `perms` for `perm`.
/// 2. Blanks before the facts; no `;` behind the last fact.
/// 3. Blanks and `;` inside a fact: the target in `type=OS.unix=slink:/a b;c`. Only a blank right behind a `;`
///    begins the name, and a piece without `=` belongs to the target before it.
/// 4. No `type`: the permissions tell a directory from a file.
/// 5. No blank between the facts and the name; a `/` behind the name of a directory.
///
/// The name is everything behind that one blank, with all its blanks. A line without any fact is refused, since it
/// could not be told from a stray message.
package struct FactLine: Hashable, Sendable {
    /// What the line describes.
    package enum Role: Hashable, Sendable {
        /// Something in the directory.
        case entry(ListingEntry.Kind)
        /// The directory itself (`cdir`).
        case currentDirectory
        /// The directory above (`pdir`).
        case parentDirectory
    }

    package let role: Role
    /// Bytes of a file; `nil` when not sent or impossible.
    package let size: Int64?
    /// When the content was last changed, in UTC.
    package let modified: Timestamp?
    /// How coarse ``modified`` is.
    package let precision: ListingEntry.Precision
    /// Permission bits (07777).
    package let mode: UInt32?
    /// What a symbolic link points to; without NUL, CR and LF.
    package let linkTarget: [UInt8]?
    /// The name or the path as sent. After `MLST` it may be anything that leads to the object, also `.` or a full path.
    package let pathname: [UInt8]

    /// Reads one line without its line end.
    ///
    /// - Returns: `nil` when this is not a line of facts.
    package init?(parsing line: ArraySlice<UInt8>) {
        guard let (facts, pathname) = Facts.parse(line) else { return nil }
        role = facts.role
        size = facts.size
        modified = facts.modified
        precision = facts.precision
        mode = facts.mode
        linkTarget = facts.linkTarget.flatMap(LineReading.target)
        self.pathname = Array(pathname)
    }

    /// Reads the reply to `MLST`: the first line between the first and the last that is one of facts. Some servers
    /// put it into the last or only line.
    ///
    /// - Returns: `nil` when there is none, or when the reply is a refusal.
    package init?(parsing reply: Reply) {
        guard reply.category == .completion else { return nil }
        for text in reply.lines {
            if let line = FactLine(parsing: text[...]) {
                self = line
                return
            }
        }
        return nil
    }

    /// Reads one line as an entry.
    ///
    /// - Parameter isPath: whether the name may be a path, of which the last component counts: the case after `MLST`.
    /// - Returns: `nil` when this is not a line of facts, when it is the directory itself or the one above, or when
    ///   what it names is not a name.
    package static func parse(_ line: [UInt8], isPath: Bool = false) -> ListingEntry? {
        guard case .entry(let entry) = read(line[...], isPath: isPath) else { return nil }
        return entry.entry
    }

    /// Reads one line of `MLSD`.
    static func read(_ line: ArraySlice<UInt8>, isPath: Bool = false) -> LineReading {
        guard let (facts, pathname) = Facts.parse(line) else { return .notMine }
        switch facts.role {
        case .currentDirectory:
            return .currentDirectory(Array(pathname))
        case .parentDirectory:
            return .nothing
        case .entry(let kind):
            var name = pathname
            // A mark for directories, as `ls -p` has it. No name ends in a slash, so nothing is lost.
            if kind == .directory, name.count > 1, name.last == ASCII.slash { name = name.dropLast() }
            if isPath, let slash = name.lastIndex(of: ASCII.slash) { name = name[(slash + 1)...] }
            return .entry(
                name: name, kind: kind, size: facts.size, modified: facts.modified, precision: facts.precision,
                mode: facts.mode, linkTarget: facts.linkTarget)
        }
    }
}

/// The facts of one line, as far as they are of use.
private struct Facts {
    var type: FactLine.Role?
    var size: Int64?
    var modified: Timestamp?
    var precision = ListingEntry.Precision.second
    var mode: UInt32?
    var linkTarget: [UInt8]?
    var looksLikeDirectory = false

    var role: FactLine.Role { type ?? .entry(looksLikeDirectory ? .directory : .file) }

    /// The facts and what stands behind them.
    static func parse(_ line: ArraySlice<UInt8>) -> (facts: Facts, pathname: ArraySlice<UInt8>)? {
        var facts = Facts()
        var isAnyKnown = false
        var isAnyStray = false
        var rest = line.drop(while: ASCII.isBlank)
        while let first = rest.first {
            if first == ASCII.blank {
                return isAnyKnown ? (facts, rest.dropFirst()) : nil
            }
            let end = rest.firstIndex(of: ASCII.semicolon)
            // Without a further `;` the last fact ends where the name begins.
            let stop = end ?? rest.firstIndex(of: ASCII.blank) ?? rest.endIndex
            let fact = rest[..<stop]
            if let equals = fact.firstIndex(of: ASCII.equals), fact[..<equals].allSatisfy(isOfName) {
                facts.take(fact[..<equals], fact[(equals + 1)...])
                isAnyKnown = true
            } else if !isAnyKnown {
                return nil
            } else if facts.linkTarget != nil {
                facts.linkTarget?.append(ASCII.semicolon)
                facts.linkTarget?.append(contentsOf: fact)
            } else if end == nil, facts.type != nil, !isAnyStray {
                // Neither a fact nor the target of a link: the name, without the blank in front.
                return (facts, rest)
            } else {
                isAnyStray = true
            }
            rest = end == nil ? rest[stop...] : rest[(stop + 1)...]
        }
        return nil
    }

    /// Whether a byte can be in the name of a fact. A path with `=` in it is no fact.
    private static func isOfName(_ byte: UInt8) -> Bool {
        ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == ASCII.period || byte == ASCII.minus || byte == 0x5F
    }

    private mutating func take(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
        // By length first: the facts that are of no use cost no comparison.
        switch name.count {
        case 4 where name.equalsIgnoringCase("type"):
            takeType(value)
        case 4 where name.equalsIgnoringCase("size"):
            size = value.decimal
        case 4 where name.equalsIgnoringCase("sizd"):
            looksLikeDirectory = true
        case 4 where name.equalsIgnoringCase("perm"), 5 where name.equalsIgnoringCase("perms"):
            // `e`, `l`, `c`, `m` and `p` can be said only of directories (RFC 3659 §7.5.5).
            if value.contains(where: { "elcmp".utf8.contains(ASCII.lowercased($0)) }) { looksLikeDirectory = true }
        case 6 where name.equalsIgnoringCase("modify"):
            modified = TimeValue.parse(value)
            precision = value.prefix { $0 != ASCII.period }.count < 14 ? .minute : .second
        case 9 where name.equalsIgnoringCase("unix.mode"):
            // Newer versions of pyftpdlib write the digits as Python does, `0o644`.
            mode = (value.starts(with: "0o".utf8) ? value.dropFirst(2) : value).octalMode
        default:
            break
        }
    }

    private mutating func takeType(_ value: ArraySlice<UInt8>) {
        // A later type replaces an earlier one, with everything that it said.
        linkTarget = nil
        if value.equalsIgnoringCase("file") {
            type = .entry(.file)
        } else if value.equalsIgnoringCase("dir") {
            type = .entry(.directory)
        } else if value.equalsIgnoringCase("cdir") {
            type = .currentDirectory
        } else if value.equalsIgnoringCase("pdir") {
            type = .parentDirectory
        } else if let target = Self.linkTarget(value) {
            type = .entry(.symbolicLink)
            linkTarget = target.isEmpty ? nil : Array(target)
        } else {
            // OS.unix=chr-1/3, blk-8/0, pipe, socket: something that cannot be transferred.
            type = .entry(.special)
        }
    }

    /// What follows the colon in `OS.unix=slink:target`; empty without one; `nil` when this is not a link.
    private static func linkTarget(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        let colon = value.firstIndex(of: ASCII.colon) ?? value.endIndex
        let type = value[..<colon]
        guard type.equalsIgnoringCase("os.unix=slink") || type.equalsIgnoringCase("os.unix=symlink") else { return nil }
        return value[colon...].dropFirst()
    }
}
