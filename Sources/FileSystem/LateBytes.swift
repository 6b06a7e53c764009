import Threading

/// What a transfer that broke may still write into a file on the server. No lock, no clock, no I/O.
///
/// ## When the size of a file is final
/// Bytes arrive in order, so the size of a file tells how much of a broken transfer is in it; but only when no more of
/// it can come. That is known when one of these is true:
/// 1. The server has ended the transfer on its control connection: its final reply has been read (226, 426, 451, …), or
///    the answers to `ABOR` and to the command behind it (``RemoteWriteStream/mayGoOn`` is false).
/// 2. All that was handed over is there: nothing is left that could come.
/// 3. So much time has passed since a look at the server that no packet of the transfer is on its way (``lifetime``).
///
/// Nothing else proves it. When a control connection is lost, the server reads on from the data connection. What its
/// kernel, or a proxy, has received is written also after a reset from this end, whenever the server comes to it. And a size
/// that stays the same between two looks may be that of a server, or a line, that stands still.
///
/// ## What is sent until then
/// These bytes are then *late*, and what is sent next is chosen so that they do no harm whenever they come:
///
/// | late are | and here | then |
/// | --- | --- | --- |
/// | bytes with places of their own (`STOR`, `REST` and `STOR`) | they have not been changed since | the upload goes on from where the file ends, but by `REST` and `STOR`: whatever comes twice, the same bytes come to the same place |
/// | the same | they have | the whole goes to a new file, which takes the place of that one |
/// | bytes that go to the end, wherever that is (`APPE`) | whatever | the same |
/// | a `STOR` whose answer was lost: it may empty the file | whatever | the same |
/// | any, and the server does not answer who goes on with the file: it keeps it for the broken transfer | whatever | the same |
///
/// A new file has a name that was never used; late bytes stay with the old one, which the rename removes. Where that is not
/// possible, or the file is so large and so little of it is here that it would move too much
/// (``FileSystem/maximumFetch``), the third rule is waited for.
struct LateBytes: Hashable, Sendable {
    /// How long a packet may live: the maximum segment lifetime of RFC 9293 §3.4.1, two minutes. The transfer's end at this
    /// side is reset before anybody looks, so that nothing is sent again from here.
    static let lifetime = Duration.seconds(120)

    /// Which bytes of the file here they are.
    private(set) var range: Range<Int64>
    /// Whether they go behind whatever is there when they come.
    private(set) var isAtEnd: Bool
    /// Whether they are not, or not only, what the file here has at their places.
    private(set) var isStale: Bool
    /// Since when the path to the server is known to be there again.
    private var since: Instant?

    /// Bytes of a transfer that has just broken.
    ///
    /// - Parameter isStale: whether what is at their places here is not what was sent, or not for sure.
    init(_ range: Range<Int64>, isAtEnd: Bool = false, isStale: Bool = false) {
        self.range = range
        self.isAtEnd = isAtEnd
        self.isStale = isStale
    }

    /// A command that may yet empty the file.
    static let emptying = LateBytes(0..<Int64.max, isStale: true)

    /// Whether nothing may be sent to the file in which they may come.
    var needsNewFile: Bool { isAtEnd || isStale }

    /// Another transfer to the same file has broken.
    func joined(_ other: LateBytes) -> LateBytes {
        LateBytes(
            min(range.lowerBound, other.range.lowerBound)..<max(range.upperBound, other.range.upperBound),
            isAtEnd: isAtEnd || other.isAtEnd, isStale: isStale || other.isStale)
    }

    /// The file here has been changed.
    mutating func changed(_ changed: Range<Int64>) {
        if changed.overlaps(range) { isStale = true }
    }

    /// The server has answered a look at the file.
    mutating func seen(at now: Instant) { since = since ?? now }

    /// Whether none can come any more, by the third rule.
    func havePassed(at now: Instant) -> Bool {
        guard let since else { return false }
        return now.since(since) >= Self.lifetime
    }
}
