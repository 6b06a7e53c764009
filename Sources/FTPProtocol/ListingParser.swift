package import Vocabulary

/// The format of a listing.
package enum ListingFormat: Sendable {
    /// `MLSD`: facts and a name (RFC 3659 §7).
    case machine
    /// `LIST`: whatever the server's `ls` or `dir` prints. Unix and DOS lines are told apart line by line.
    case text
}

/// Turns the bytes of a data connection into a ``Listing``.
///
/// Bytes may arrive in any pieces. Lines end with LF; carriage returns before it do not count. The rules for lines:
///
/// 1. A bad line is left out and counted; it never fails the directory.
/// 2. A name is taken as it stands or not at all: what ``FileName`` refuses (a `/`, a control byte) is left out.
/// 3. The readers of the formats are asked in order. "Not mine" passes the line on; "mine, but broken" ends it, so
///    that half a line of one format is not taken for another.
/// 4. A header `dir:` behind an empty line, when there are entries already, begins the listing of a *sub-directory*
///    (`ls -R`). Nothing from there on belongs to this directory.
///
/// The cost is linear in the bytes, and one allocation per name. A value type without locks: one owner at a time.
package struct ListingParser: Sendable {
    /// What a line may hold, in bytes; a longer one is left out. A name has 255 at most and the target of a link 4 KiB
    /// (PATH_MAX); four times that leaves room for the columns and facts.
    package static let maximumLineLength = 16 * 1024
    /// How many entries are kept; further ones are left out and counted. A million entries take some 150 MB here, and
    /// no FTP server can list a directory of that size within any time limit.
    package static let maximumEntryCount = 1_000_000
    /// How much of a line ``Listing/firstSkipped`` shows.
    private static let excerptLength = 160

    private let format: ListingFormat
    private let now: Timestamp
    private var listing = Listing()
    private var names: Set<FileName> = []
    /// The line that has begun, without what exceeds the limit.
    private var line: [UInt8] = []
    private var lineIsTooLong = false
    private var previousLineWasEmpty = false
    private var isInSubdirectory = false

    /// A parser for one listing.
    ///
    /// - Parameter now: dates without a year are taken as the last such date up to a day after this moment.
    package init(format: ListingFormat, now: Timestamp) {
        self.format = format
        self.now = now
    }

    /// Feeds bytes, which may end anywhere, also inside a line.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) {
        var start = bytes.startIndex
        while let end = unsafe bytes[start...].firstIndex(of: ASCII.lineFeed) {
            unsafe hold(bytes[start..<end])
            finishLine()
            start = end + 1
        }
        unsafe hold(bytes[start...])
    }

    /// Feeds bytes, which may end anywhere, also inside a line.
    package mutating func consume(_ bytes: [UInt8]) {
        unsafe bytes.withUnsafeBytes { unsafe consume($0) }
    }

    /// Ends the listing; a last line without LF counts. The parser is then empty.
    package mutating func finish() -> Listing {
        if !line.isEmpty || lineIsTooLong { finishLine() }
        let result = listing
        self = ListingParser(format: format, now: now)
        return result
    }

    private mutating func hold(_ piece: Slice<UnsafeRawBufferPointer>) {
        // A carriage return of the line end may come in addition to the longest line.
        guard unsafe piece.count <= Self.maximumLineLength + 1 - line.count else {
            lineIsTooLong = true
            line.removeAll(keepingCapacity: true)
            return
        }
        if !lineIsTooLong { unsafe line.append(contentsOf: piece) }
    }

    private mutating func finishLine() {
        defer {
            line.removeAll(keepingCapacity: true)
            lineIsTooLong = false
        }
        while line.last == ASCII.carriageReturn { line.removeLast() }
        if lineIsTooLong || line.count > Self.maximumLineLength {
            leaveOut(Array("(a line of more than \(Self.maximumLineLength) bytes)".utf8)[...])
            return
        }
        take(line[...])
    }

    private mutating func take(_ line: ArraySlice<UInt8>) {
        if line.isEmpty {
            previousLineWasEmpty = true
            return
        }
        defer { previousLineWasEmpty = false }
        if isInSubdirectory {
            listing.skipped += 1
            return
        }
        switch read(line) {
        case .entry(let entry):
            add(entry, line)
        case .currentDirectory(let name):
            if !listing.entries.isEmpty, previousLineWasEmpty {
                isInSubdirectory = true
                leaveOut(line)
            } else if listing.currentDirectory == nil {
                listing.currentDirectory = name
            }
        case .itself:
            listing.showsItself = true
        case .nothing:
            break
        case .broken, .notMine:
            leaveOut(line)
        }
    }

    private func read(_ line: ArraySlice<UInt8>) -> LineReading {
        switch format {
        case .machine:
            return FactLine.read(line)
        case .text:
            // Unix first: nearly all servers print it.
            if case let reading = UnixLine.read(line, now: now), !reading.isNotMine { return reading }
            if case let reading = DOSLine.read(line), !reading.isNotMine { return reading }
            return HeaderLine.read(line)
        }
    }

    private mutating func add(_ entry: ListingEntry, _ line: ArraySlice<UInt8>) {
        guard listing.entries.count < Self.maximumEntryCount else {
            leaveOut(line)
            return
        }
        if names.insert(entry.name).inserted { listing.entries.append(entry) }
    }

    private mutating func leaveOut(_ line: ArraySlice<UInt8>) {
        listing.skipped += 1
        if listing.firstSkipped == nil { listing.firstSkipped = printable(line.prefix(Self.excerptLength)) }
    }
}

extension LineReading {
    fileprivate var isNotMine: Bool {
        if case .notMine = self { true } else { false }
    }

    /// An entry with a name from a listing: left out without a word for `.` and `..`, broken if it is no name.
    static func entry(
        name: ArraySlice<UInt8>, kind: ListingEntry.Kind, size: Int64?, modified: Timestamp?,
        precision: ListingEntry.Precision, mode: UInt32?, linkTarget: [UInt8]?,
        isLocalTime: Bool = false
    ) -> LineReading {
        do throws(FileName.Invalid) {
            var entry = ListingEntry(
                name: try FileName(validating: name), kind: kind, size: kind == .file ? size : nil, modified: modified,
                precision: precision, mode: mode, linkTarget: linkTarget)
            entry.isLocalTime = isLocalTime
            return .entry(entry)
        } catch {
            return error == .dotOrDotDot ? .itself : .broken
        }
    }
}
