/// Cuts the bytes of a control connection into replies (RFC 959 §4.2).
///
/// A reply is one line `ddd text`, or several: `ddd-text`, any lines, `ddd text`. Real servers bend this, and the
/// parser follows them as far as the meaning stays certain:
///
/// 1. A reply of several lines ends only at its *first* code followed by a blank. Lines between may begin with digits,
///    also with other codes, and with anything else.
/// 2. A line may end with a bare LF; carriage returns before the LF do not count. Inside a line CR NUL stands for CR,
///    as in TELNET (RFC 854), and is kept as CR.
/// 3. Some servers write `ddd-` before every line of a reply; it is taken off.
/// 4. A code alone on its line is a reply without text, and also ends a reply of several lines: some servers cut
///    trailing blanks, and waiting for a blank that never comes would hang.
/// 5. An empty line between two replies means nothing.
///
/// Everything a server can make the parser keep is bounded. After a ``Violation`` the bytes that follow have no
/// meaning any more: each further ``consume(_:)`` throws the same, until ``reset()``. Replies that were complete before
/// it are still handed out. A value type without locks: one owner at a time.
package struct ReplyParser: Sendable {
    /// Why the bytes are not replies.
    package enum Violation: Error, Hashable, Sendable {
        /// A line is longer than ``ReplyParser/maximumLineLength``.
        case lineTooLong
        /// One reply has more lines or bytes than the ``ReplyParser/limit`` says.
        case replyTooLong
        /// More than ``ReplyParser/maximumWaitingReplies`` replies wait, which nobody asked for.
        case tooManyReplies
        /// A line where a reply should begin has no code of 100...599. The first bytes of the line, for the message.
        case notAReply([UInt8])
    }

    /// What a line may hold, in bytes. The longest honest lines carry one path, which Linux limits to 4 KiB (PATH_MAX),
    /// with some facts; sixteen times that leaves room for a path of another system, quoted and escaped.
    package static let maximumLineLength = 64 * 1024
    /// What one reply may hold.
    package struct Limit: Hashable, Sendable {
        package var bytes: Int
        /// A bound on empty lines too, which cost memory without counting as bytes.
        package var lines: Int

        package init(bytes: Int, lines: Int) {
            self.bytes = bytes
            self.lines = lines
        }

        /// The longest honest replies to what is not meant to list a directory are those to `HELP` and `STAT`, tens of KiB.
        package static let usual = Limit(bytes: 1024 * 1024, lines: 10_000)
    }

    /// What the replies that come next may hold.
    package var limit = Limit.usual
    /// How many complete replies may wait. A client has a handful of commands under way; a server that sends
    /// hundreds of replies unasked has lost its place.
    package static let maximumWaitingReplies = 1_000
    /// How much of a line ``Violation/notAReply(_:)`` keeps: enough to tell an HTTP or SSH server in a message.
    private static let excerptLength = 80

    /// The line that has begun, as received, without its LF.
    private var line: [UInt8] = []
    /// The reply of several lines that has begun.
    private var unfinished: (code: UInt16, lines: [[UInt8]], length: Int)?
    /// Complete replies from ``head`` on, oldest first.
    private var complete: [Reply] = []
    private var head = 0
    private var violation: Violation?

    /// A parser at the beginning of a connection.
    package init() {}

    /// Whether nothing is held: no complete reply waits and none has begun, not even a line.
    ///
    /// Bytes that a server sent ahead show here: after the reply to `AUTH` anything held was sent without protection.
    package var isEmpty: Bool { head == complete.count && unfinished == nil && line.isEmpty }

    /// Forgets everything held, and a violation.
    package mutating func reset() {
        self = ReplyParser()
    }

    /// The next complete reply, oldest first; `nil`: feed more.
    package mutating func next() -> Reply? {
        guard head < complete.count else { return nil }
        let reply = complete[head]
        head += 1
        if head == complete.count {
            complete.removeAll(keepingCapacity: true)
            head = 0
        }
        return reply
    }

    /// Feeds bytes, which may end anywhere, also inside a line.
    ///
    /// - Throws: ``Violation`` when they are not replies or too long. Replies completed before are kept for ``next()``.
    package mutating func consume(_ bytes: some Collection<UInt8>) throws(Violation) { try feed(bytes) }

    /// The same for what a connection has brought. Not generic, since the compiler makes a fast version of the other only for
    /// callers in this module.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) throws(Violation) { try unsafe feed(bytes) }

    private mutating func feed(_ bytes: some Collection<UInt8>) throws(Violation) {
        if let violation { throw violation }
        do throws(Violation) {
            var rest = bytes[...]
            while let end = rest.firstIndex(of: ASCII.lineFeed) {
                try hold(rest[..<end])
                try finishLine()
                rest = rest[end...].dropFirst()
            }
            try hold(rest)
        } catch {
            violation = error
            throw error
        }
    }

    private mutating func hold(_ piece: some Collection<UInt8>) throws(Violation) {
        if piece.count > Self.maximumLineLength - line.count { throw .lineTooLong }
        line.append(contentsOf: piece)
    }

    private mutating func finishLine() throws(Violation) {
        while line.last == ASCII.carriageReturn { line.removeLast() }
        let text = Self.withoutPaddingAfterCarriageReturn(line)
        line.removeAll(keepingCapacity: true)
        if unfinished == nil {
            try begin(text)
        } else {
            try proceed(text)
        }
    }

    /// Takes a line where a reply begins.
    private mutating func begin(_ text: [UInt8]) throws(Violation) {
        if text.isEmpty { return }
        guard let code = Self.code(of: text) else { throw .notAReply(Array(text.prefix(Self.excerptLength))) }
        let rest = Array(text.dropFirst(4))
        if text.count > 3, text[3] == ASCII.minus {
            unfinished = (code, [rest], rest.count)
        } else {
            try deliver(Reply(code: code, lines: [rest]))
        }
    }

    /// Takes a further line of a reply of several lines.
    private mutating func proceed(_ text: [UInt8]) throws(Violation) {
        guard var reply = unfinished else { return }
        unfinished = nil
        let isMarked = Self.code(of: text) == reply.code
        let rest = isMarked ? Array(text.dropFirst(4)) : text
        reply.lines.append(rest)
        reply.length += rest.count
        if reply.lines.count > limit.lines || reply.length > limit.bytes { throw .replyTooLong }
        if isMarked, text.count == 3 || text[3] != ASCII.minus {
            try deliver(Reply(code: reply.code, lines: reply.lines))
        } else {
            unfinished = reply
        }
    }

    private mutating func deliver(_ reply: Reply) throws(Violation) {
        if complete.count - head == Self.maximumWaitingReplies { throw .tooManyReplies }
        complete.append(reply)
    }

    /// The code at the beginning of a line: three digits, then a blank, a tab, a minus or nothing.
    private static func code(of text: [UInt8]) -> UInt16? {
        guard text.count >= 3 else { return nil }
        if text.count > 3 {
            guard text[3] == ASCII.minus || ASCII.isBlank(text[3]) else { return nil }
        }
        guard let value = text[..<3].decimal, (100...599).contains(value) else { return nil }
        return UInt16(value)
    }

    /// The line with each CR NUL as CR.
    private static func withoutPaddingAfterCarriageReturn(_ line: [UInt8]) -> [UInt8] {
        guard line.contains(ASCII.nul) else { return line }
        var result: [UInt8] = []
        result.reserveCapacity(line.count)
        for byte in line where byte != ASCII.nul || result.last != ASCII.carriageReturn { result.append(byte) }
        return result
    }
}
