package import Vocabulary

/// The format of a listing, as far as the command decides it.
package enum ListingFormat: Sendable {
    /// `MLSD`: facts and a name (RFC 3659 §7).
    case machine
    /// `LIST`: whatever the server's `ls` or `dir` prints, in one of the formats of ``TextFormat``.
    case text
}

/// Turns the bytes of a data connection into a ``Listing``.
///
/// Bytes may arrive in any pieces. Lines end with LF; carriage returns before it do not count. The rules for lines:
///
/// 1. A bad line is left out and counted; it never fails the directory.
/// 2. A name is taken as it stands or not at all: what ``FileName`` refuses (a `/`, a control byte) is left out.
/// 3. The format of `LIST` is chosen by the first lines together (``FormatChoice``), and kept: a line that it does not
///    have is a bad line, also if another format could make a name of it.
/// 4. A header `dir:` behind an empty line, when there are entries already, begins the listing of a *sub-directory*
///    (`ls -R`). Nothing from there on belongs to this directory.
/// 5. Of several lines with one name the first counts; of several versions of a file the highest.
/// 6. A date whose numbers can be read in several orders gets the order that fits most lines (``DateOrderVotes``).
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
    /// What is known of the server.
    private let style: ListingStyle?
    private var collector: EntryCollector
    /// The lines of `LIST` that wait for a choice; `nil` once there is one.
    private var choice: FormatChoice?
    /// Reads the lines of `LIST` in the chosen format.
    private var reader: TextLineReader?
    /// The line that has begun, without what exceeds the limit.
    private var line: [UInt8] = []
    private var lineIsTooLong = false

    /// A parser for one listing.
    ///
    /// - Parameters:
    ///   - now: the present by the server's clock, as if that showed UTC. Dates without a year are taken as the last
    ///     such date up to a day after it.
    ///   - style: what ``Listing/style`` told of the last listing of this server.
    package init(format: ListingFormat, now: Timestamp, style: ListingStyle? = nil) {
        self.format = format
        self.now = now
        self.style = style
        collector = EntryCollector(now: now)
        if case .text = format { choice = FormatChoice(preferring: style?.format, now: now) }
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

    /// Ends the listing. The parser is then as at its beginning.
    ///
    /// - Parameter isCut: whether the transfer ended before the listing did. A last line without LF is then left out,
    ///   since it may hold half a name; otherwise it counts.
    package mutating func finish(isCut: Bool = false) -> Listing {
        if !line.isEmpty || lineIsTooLong {
            if isCut {
                collector.leaveOut(line[...])
            } else {
                finishLine()
            }
        }
        if choice != nil { choose() }
        if let held = reader?.held { collector.leaveOut(held[...]) }
        let result = collector.finish(format: reader?.format, style: style)
        self = ListingParser(format: format, now: now, style: style)
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
            collector.leaveOut(Array("(a line of more than \(Self.maximumLineLength) bytes)".utf8)[...])
        } else if choice != nil {
            choice?.add(line[...])
            if choice?.isFull ?? false { choose() }
        } else {
            take(line[...])
        }
    }

    /// Decides on the format if the lines so far allow it, and reads them.
    private mutating func choose() {
        guard var sample = choice else { return }
        let chosen = sample.format
        // Without a choice the lines have no entry. Unix tells totals and messages apart as well as any.
        reader = TextLineReader(chosen ?? .unix, now: now)
        for line in sample.takeLines() { take(line) }
        if chosen == nil {
            if let held = reader?.held { collector.leaveOut(held[...]) }
            reader = nil
            choice = sample
        } else {
            choice = nil
        }
    }

    private mutating func take(_ line: ArraySlice<UInt8>) {
        if line.isEmpty {
            collector.takeEmptyLine()
        } else if let (reading, abandoned) = reader?.read(line) {
            if let abandoned { collector.leaveOut(abandoned[...]) }
            collector.take(reading, line)
        } else {
            collector.take(FactLine.read(line), line)
        }
    }
}
