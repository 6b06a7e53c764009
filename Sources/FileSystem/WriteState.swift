import Threading
import Vocabulary

/// What of a file's content is here, and what of it the server lacks. No lock, no I/O: its owner (``FileContent``)
/// locks, asks, and acts.
///
/// ## Where the content is
/// - On the server only (`isLocal` is false): reads stream, nothing is dirty.
/// - Here from `base` on: the spool holds `base ..< size`, and below `base` the content is on the server only. `base`
///   is 0 for a new, a replaced or a fetched file, and the old end for a file that was only appended to.
///
/// ## What the server lacks
/// - `none`: nothing. The spool may stay, as a cache for those who have the file open.
/// - `appended(from)`: only the bytes from there on; they can be sent alone.
/// - `rewritten`: something below; the whole file is sent.
///
/// An upload takes the change with it (`inTransfer`) and starts a new one, so that what is written meanwhile is told
/// apart. If it fails, both are put together again.
struct WriteState {
    /// What the server lacks.
    enum Change: Hashable {
        case none
        /// `byAppend`: every byte of it was written with O_APPEND, so it belongs to the end, wherever that is by then.
        case appended(from: Int64, byAppend: Bool)
        case rewritten

        /// Both, one after the other.
        func followed(by later: Change) -> Change {
            switch (self, later) {
            case (.none, _): later
            case (_, .none): self
            case (.rewritten, _), (_, .rewritten): .rewritten
            case (.appended(let from, let first), .appended(from: _, byAppend: let second)):
                .appended(from: from, byAppend: first && second)
            }
        }
    }

    /// What has to happen before some bytes can be written.
    enum Admission: Hashable {
        /// Nothing; they go to this offset.
        case ready(at: Int64)
        /// The spool has to begin as the tail of a file of this size.
        case needsTail(base: Int64)
        /// The whole content has to be here.
        case needsWhole
    }

    /// What one upload sends.
    struct Upload: Sendable {
        var change: Change
        var size: Int64
        var base: Int64
        var revision: UInt64
        var spool: SpoolFile?
        var appendFailed: Bool
        let cancellation: Cancellation
    }

    /// What is to be set when the content has been sent.
    enum Wish: Hashable, Sendable {
        case mode(UInt32)
        case time(Timestamp)
        /// The present time, which an upload gets anyway.
        case timeOfUpload
    }

    /// What of the spool a read uses.
    struct Readable: Sendable {
        let spool: SpoolFile?
        let base: Int64
        let size: Int64
    }

    private(set) var isLocal = false
    /// The file behind it; `nil` while nothing has been written.
    private(set) var spool: SpoolFile?
    private(set) var base: Int64 = 0
    private(set) var size: Int64 = 0
    private(set) var change = Change.none
    private(set) var inTransfer: Upload?
    /// Counts changes of the content.
    private(set) var revision: UInt64 = 0
    /// Whether the server has never heard of the file.
    private(set) var isPending = false
    /// Whether the file has no name any more, so that nothing is to be sent.
    var isUnlinked = false
    /// The time and the mode to set when the content has been sent.
    private(set) var wantedTime: Timestamp?
    private(set) var wantedMode: UInt32?
    /// Why the last upload failed.
    private(set) var failure: (revision: UInt64, error: StoreError)?
    /// Which version of the remote content a clean spool holds.
    private(set) var version: UInt64 = 0
    /// Whether an append failed, so that a part of it may be on the server.
    private var appendFailed = false

    /// Whether the server lacks something.
    var isDirty: Bool { !isUnlinked && (change != .none || inTransfer != nil) }

    /// Whether an upload at the last close makes sense: not if exactly this has just been refused.
    var shouldTryAgain: Bool {
        guard isDirty else { return false }
        guard let failure, failure.revision == revision else { return true }
        return failure.error.kind == .cancelled
    }

    /// Whether all the content is here.
    var isWhole: Bool { isLocal && base == 0 }

    /// What a read may take from here; `nil`: all of it is on the server.
    var readable: Readable? { isLocal ? Readable(spool: spool, base: base, size: size) : nil }

    /// From where on writing needs nothing of what is below.
    private var boundary: Int64 {
        switch change {
        case .none: size
        case .appended(let from, byAppend: _): from
        case .rewritten: 0
        }
    }

    /// What was written here and is not on the server; `nil`: nothing, or more than a tail.
    var ownRange: Range<Int64>? {
        let all = (inTransfer?.change ?? .none).followed(by: change)
        guard isLocal, case .appended(let from, byAppend: _) = all else { return nil }
        return from..<max(from, size)
    }

    // MARK: - Writing

    /// Says what has to happen before bytes can be written at an offset.
    ///
    /// - Parameter remoteSize: the size on the server, which counts only while nothing is here.
    func admit(offset: Int64, isAppend: Bool, remoteSize: Int64?) -> Admission {
        guard isLocal else {
            guard let remoteSize else { return .needsWhole }
            return isAppend || offset >= remoteSize ? .needsTail(base: remoteSize) : .needsWhole
        }
        let place = isAppend ? size : offset
        return base == 0 || place >= boundary ? .ready(at: place) : .needsWhole
    }

    /// Notes bytes that have been put into the spool at an admitted place.
    mutating func wrote(at place: Int64, count: Int, isAppend: Bool) {
        grow(from: place, byAppend: isAppend)
        size = max(size, place + Int64(count))
    }

    /// Notes that the size is another one. The spool has been cut or extended; what is cut off is not below `base`.
    mutating func truncated(to newSize: Int64) {
        if newSize == 0 { base = 0 }
        if newSize >= size { grow(from: size, byAppend: false) } else { grow(from: newSize, byAppend: false) }
        size = newSize
    }

    /// Whether the size can be changed without any byte from the server.
    func canTruncate(to newSize: Int64) -> Bool {
        isLocal && (base == 0 || newSize == 0 || newSize >= size)
    }

    private mutating func grow(from place: Int64, byAppend: Bool) {
        let isTail = place >= boundary && boundary > 0
        change = change.followed(by: isTail ? .appended(from: boundary, byAppend: byAppend) : .rewritten)
        revision += 1
        wantedTime = nil
    }

    // MARK: - Where the content is

    /// A new file, of which the server has not heard.
    mutating func beginPending(mode: UInt32?) {
        wantedMode = mode
        isLocal = true
        isPending = true
        change = .rewritten
        revision += 1
    }

    /// A file whose content is thrown away.
    mutating func beginEmpty() {
        isLocal = true
        truncated(to: 0)
        change = .rewritten
    }

    /// Only what follows the present end is here.
    mutating func beginTail(base: Int64, version: UInt64) {
        isLocal = true
        self.base = base
        self.version = version
        size = base
    }

    /// All of the content is here.
    mutating func beginWhole(_ file: SpoolFile, size: Int64, version: UInt64) {
        isLocal = true
        spool = file
        base = 0
        self.size = size
        self.version = version
    }

    /// The file behind the content, made now.
    mutating func useSpool(_ file: SpoolFile) { spool = file }

    /// The whole content has to go to the server again: what is there is not what we thought.
    mutating func rewrite() {
        change = .rewritten
        revision += 1
    }

    /// Drops what is here, if the server has it all.
    ///
    /// - Parameter version: the version on the server; a spool of this version stays.
    mutating func dropClean(unless version: UInt64?) {
        guard isLocal, !isDirty, !isUnlinked, self.version != version else { return }
        isLocal = false
        spool = nil
        base = 0
        size = 0
    }

    // MARK: - Uploading

    /// Begins an upload; `nil` when the server lacks nothing.
    mutating func beginUpload(_ cancellation: Cancellation) -> Upload? {
        guard !isUnlinked, change != .none, inTransfer == nil else { return nil }
        let upload = Upload(
            change: change, size: size, base: base, revision: revision, spool: spool, appendFailed: appendFailed,
            cancellation: cancellation)
        inTransfer = upload
        change = .none
        return upload
    }

    /// The content is on the server. What else was asked for meanwhile comes next; when that is nothing, the upload
    /// has ended, and from then on who wants another time or mode sends it himself.
    ///
    /// - Returns: `nil` when the upload has ended.
    mutating func nextWish(version: UInt64) -> Wish? {
        if let mode = wantedMode {
            wantedMode = nil
            return .mode(mode)
        }
        if let time = wantedTime {
            wantedTime = nil
            return .time(time)
        }
        inTransfer = nil
        isPending = false
        appendFailed = false
        failure = nil
        self.version = version
        return nil
    }

    /// Notes what is to be set when the content has been sent.
    ///
    /// - Returns: false if nothing waits to be sent, so that it can be set now.
    mutating func wish(_ wish: Wish) -> Bool {
        guard isDirty || isUnlinked else { return false }
        switch wish {
        case .mode(let mode): wantedMode = mode
        case .time(let time): wantedTime = time
        case .timeOfUpload: wantedTime = nil
        }
        return true
    }

    /// It has not.
    mutating func uploadFailed(_ upload: Upload, _ error: StoreError) {
        inTransfer = nil
        if case .appended = upload.change { appendFailed = true }
        change = upload.change.followed(by: change)
        failure = (upload.revision, error)
    }
}
