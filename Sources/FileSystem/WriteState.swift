import Threading
import Vocabulary

/// What of a file's content is here, what of it the server lacks, and how far sending it has come. No lock, no I/O: its
/// owner (``FileContent``) locks, asks, and acts.
///
/// ## Where the content is
/// - On the server only (`isLocal` is false): reads stream, nothing is dirty.
/// - Here and there: ``map`` says which bytes. The rest is in the server's file of that name, which was `serverSize`
///   long when it was last heard of.
///
/// ## What the server lacks
/// - The map's dirty ranges, and what a transfer was given and has not been confirmed.
/// - All of it (`mustReplace`): a new file, one whose content was thrown away, one that was cut.
///
/// ## Sending
/// A transfer is an ``Attempt``: at the file itself or at a temporary name. Confirmed at the file's name, its bytes are the
/// server's. Confirmed at a temporary name, it waits there to be gone on with, or to be renamed. One that broke is looked
/// at before the next: what arrived of it need not be sent again.
struct WriteState {
    // MARK: Content

    private(set) var isLocal = false
    var map = ExtentMap()
    /// The file behind it; `nil` while nothing has been written.
    private(set) var spool: SpoolFile?
    /// How long the server's file is.
    private(set) var serverSize: Int64 = 0
    /// Whether what the server has under this name counts for nothing, and all has to be sent.
    private(set) var mustReplace = false
    /// Whether the server has something under this name that somebody could miss.
    private(set) var replacesContent = false
    /// Counts changes of the content.
    private(set) var revision: UInt64 = 0
    /// Whether the server has never heard of the file.
    private(set) var isPending = false
    /// Whether the file has no name any more, so that nothing is to be sent.
    var isUnlinked = false
    /// Which version of the remote content a clean spool holds.
    private(set) var version: UInt64 = 0
    /// Whether everything dirty was written with O_APPEND, so that it belongs to the end, wherever that is by then.
    private(set) var isAppendOnly = false
    /// Whether bytes that were appended are elsewhere on the server than here.
    private(set) var isSkewed = false
    private var skew: Int64 = 0

    // MARK: Sending

    var stream = UploadStream()
    var attempt: Attempt?
    /// Whether the server's file was made by the last transfer, so that it has the mode that the server gives.
    private(set) var isMadeAnew = false
    /// Whether parts of an earlier transfer may lie where the next one goes.
    var hasLeftParts = false
    /// What broken transfers may still bring to the file of that name, and to the temporary one.
    var late: [UploadPlan.Target: LateBytes] = [:]
    /// Where the last transfer began, and whether its bytes go to the end of the file, wherever that is.
    var (openedAt, opensAtEnd) = (Int64(0), false)
    /// Whether a transfer went on with what another one had left: the length is then looked at before it counts.
    var isResumed = false
    /// A name that was made on the server for this file.
    private(set) var temporary: FileName?
    /// Whether it may have taken the place of the file already: the answer to the rename was lost.
    var mayBePublished = false
    /// Ends the transfer that is under way.
    var transfer: Cancellation?
    /// Whether the server has got bytes of which the rest of the mount does not know yet.
    private(set) var needsConclusion = false
    /// Until when nobody else is expected to have changed the server's size, since we have set it.
    private(set) var sizeTrustedUntil: Instant?
    /// What the server said to a stream: the answer to the next close.
    var streamRefusal: StoreError?
    /// The time and the mode to set when the content has been sent.
    private(set) var wantedTime: Timestamp?
    private(set) var wantedMode: UInt32?
    /// What of them was done in the flight of the content.
    private(set) var settled = Wishes()
    /// Why the last upload failed.
    var failure: (revision: UInt64, error: StoreError)?

    // MARK: Waiting to be sent after the last close

    /// The file's number in the journal, once it has been there.
    var journalID: UInt64?
    /// The last state of the content that the journal has.
    var securedRevision: UInt64?
    /// Nobody waits for the upload that is under way; others wait for its connection; it has given that up for now.
    var (isBackground, isWanted, isInterrupted) = (false, false, false)
    /// Whether the journal has it, and the next mount sends it.
    var isLeft = false
    /// What the server had when the local content began; `nil`: no such file.
    var base: RemoteBase? = RemoteBase()
    /// Whether parts of our content may be in the server's file, so that it is not what it was.
    private(set) var isTouched = false
    /// What another process was about to do with the file.
    private(set) var former = Former()

    // MARK: - Asking

    /// Whether the server lacks something.
    var isDirty: Bool { !isUnlinked && isLocal && (mustReplace || !map.isClean || needsConclusion) }

    /// Whether an upload at the last close makes sense: not if exactly this has just been refused.
    var shouldTryAgain: Bool {
        guard isDirty else { return false }
        guard let failure, failure.revision == revision else { return true }
        return failure.error.kind == .cancelled
    }

    /// Whether all the content is here.
    var isWhole: Bool { isLocal && map.isWhole }

    /// How long the file is; meaningful while it is local.
    var size: Int64 { map.size }

    /// Whether it was made, or emptied, and nothing has been written since.
    var isUntouched: Bool { isDirty && mustReplace && map.size == 0 && attempt == nil }

    /// How far the bytes that would be lost with the spool reach; for messages.
    var unsentRanges: [Range<Int64>] {
        if mustReplace { return [0..<map.size] }
        return Array(map.dirty.union(map.taken).ranges)
    }

    // MARK: - Writing

    /// Notes bytes that have been put into the spool.
    ///
    /// - Returns: whether a thread has to be asked for that sends them.
    mutating func wrote(_ range: Range<Int64>, isAppend: Bool) -> Bool {
        isAppendOnly = isAppend && (map.isClean || isAppendOnly)
        map.wrote(range)
        changedLate(range)
        changed()
        return stream.wrote(range)
    }

    /// Notes that the size is another one; the spool has been cut or extended. No transfer is under way.
    mutating func resized(to newSize: Int64) {
        guard newSize > 0 else {
            let isKnown = serverSize > 0 || !replacesContent
            return beginEmpty(serverSize: isKnown ? serverSize : nil)
        }
        // What was begun may hold more than is wanted now, and be in the server's file already.
        if attempt?.target == .name { mustReplace = true }
        abandonAttempt()
        if newSize < map.size, newSize < serverSize { mustReplace = true }
        changedLate(min(map.size, newSize)..<Int64.max)
        map.resize(to: newSize)
        isAppendOnly = false
        stream.reset(at: mustReplace ? 0 : min(serverSize, newSize))
        changed()
    }

    private mutating func changed() {
        revision += 1
        wantedTime = nil
    }

    // MARK: - Where the content is

    /// A new file, of which the server has not heard.
    mutating func beginPending(mode: UInt32?) {
        wantedMode = mode
        base = nil
        isPending = true
        beginEmpty(serverSize: 0)
    }

    /// A file whose content is thrown away.
    ///
    /// - Parameter serverSize: how long the server's file is; `nil`: it does not say.
    mutating func beginEmpty(serverSize: Int64?) {
        isLocal = true
        map = ExtentMap()
        changedLate(0..<Int64.max)
        self.serverSize = serverSize ?? 0
        replacesContent = serverSize != 0
        mustReplace = true
        abandonAttempt()
        isAppendOnly = false
        stream.reset(at: 0)
        changed()
    }

    /// A file that the server has, of that length, and of which nothing is here yet.
    ///
    /// - Parameter instant: until when nobody else is expected to have changed its size; `nil`: who knows.
    mutating func begin(serverSize: Int64, version: UInt64, trustedUntil instant: Instant? = nil) {
        isLocal = true
        map = ExtentMap(size: serverSize)
        self.serverSize = serverSize
        self.version = version
        replacesContent = serverSize > 0
        isAppendOnly = false
        isSkewed = false
        sizeTrustedUntil = instant
        stream.reset(at: serverSize)
    }

    /// The file behind the content, made now.
    mutating func useSpool(_ file: SpoolFile) { spool = file }

    /// Notes bytes that came from the server.
    mutating func fetched(_ range: Range<Int64>) { map.fetched(range) }

    /// The server's file is not the one we knew: what was written here is laid over it.
    ///
    /// - Returns: what has become zeros, for the spool.
    mutating func rebase(onto serverSize: Int64) -> [Range<Int64>] {
        abandonAttempt()
        changedLate(0..<Int64.max)
        let gaps = map.rebase(onto: serverSize, keepsSize: mustReplace)
        self.serverSize = serverSize
        replacesContent = serverSize > 0
        mustReplace = true
        stream.reset(at: 0)
        return gaps
    }

    /// Drops what is here, if the server has it all.
    ///
    /// - Parameter version: the version on the server; a spool of this version stays.
    mutating func dropClean(unless version: UInt64?) {
        guard isLocal, !isDirty, !isUnlinked, self.version != version else { return }
        isLocal = false
        spool = nil
        map = ExtentMap()
        isSkewed = false
        sizeTrustedUntil = nil
    }

    // MARK: - Uploading

    /// Begins an upload.
    ///
    /// - Returns: whether the server lacks anything.
    mutating func beginUpload(_ cancellation: Cancellation) -> Bool {
        guard isDirty else { return false }
        transfer = cancellation
        return true
    }

    /// A transfer begins.
    mutating func beginAttempt(_ target: UploadPlan.Target, from start: Int64, isAppend: Bool) {
        if target == .name { isTouched = true }
        isMadeAnew = start == 0 && (target == .temporary || !replacesContent)
        let isFirst = start > 0 || isMadeAnew && !hasLeftParts
        attempt = Attempt(target: target, start: start, isAppend: isAppend, reach: start, isFirst: isFirst)
    }

    /// The server is about to be told of the file.
    mutating func mayExist() {
        isPending = false
        isTouched = true
    }

    /// What the server has under the file's name may be ours from here on, whether or not its answer comes.
    mutating func mayBeReplaced() { isTouched = true }

    /// A transfer gets bytes, behind those it has.
    ///
    /// - Parameter handed: up to where it has got them already, before it was known whether there would be one.
    mutating func hand(over range: Range<Int64>, behind handed: Int64 = 0) {
        if handed < range.upperBound { map.take(max(handed, range.lowerBound)..<range.upperBound) }
        attempt?.reach = range.upperBound
        attempt?.isConfirmed = false
    }

    /// The first bytes go out with the command that begins a transfer of the whole.
    mutating func handHead(_ range: Range<Int64>) { map.take(range) }

    /// The transfer to which the first bytes were given has not begun; of them, too, nobody knows.
    mutating func takeBackHead() {
        hasLeftParts = true
        map.giveBack()
    }

    /// An append that was begun with its first bytes was refused: it has changed nothing.
    mutating func appendRefused(wasTouched: Bool) {
        attempt = nil
        map.giveBack()
        isTouched = wasTouched
    }

    /// The bytes that it is about to get will go behind those that a temporary file has.
    mutating func resumeAttempt() { attempt?.isConfirmed = false }

    /// The server has confirmed the transfer.
    mutating func confirmed(trustedUntil instant: Instant) {
        attempt?.isConfirmed = true
        guard let attempt, attempt.target == .name else { return }
        arrived(attempt.reach, trustedUntil: instant)
    }

    /// The temporary file has taken the place of the file.
    mutating func published(trustedUntil instant: Instant) {
        temporary = nil
        late = late[.temporary].map { [.name: $0] } ?? [:]
        guard let attempt else { return }
        arrived(attempt.reach, trustedUntil: instant)
    }

    /// The server has confirmed bytes in their places.
    mutating func patched(_ target: UploadPlan.Target, trustedUntil instant: Instant) {
        let end = map.taken.ranges.last?.upperBound ?? 0
        switch target {
        case .name:
            isMadeAnew = false
            arrived(max(serverSize, end), trustedUntil: instant)
        case .temporary:
            let reach = attempt?.reach ?? 0
            attempt?.reach = max(reach, end)
        }
    }

    private mutating func arrived(_ end: Int64, trustedUntil instant: Instant) {
        map.settle()
        // What is longer on the server than here counts, for those who ask for the size.
        let (sum, overflow) = end.addingReportingOverflow(skew)
        serverSize = overflow ? end : sum
        skew = 0
        replacesContent = end > 0
        base = RemoteBase(size: serverSize)
        mustReplace = false
        isPending = false
        attempt = nil
        hasLeftParts = false
        isResumed = false
        isTouched = false
        former = Former()
        needsConclusion = true
        sizeTrustedUntil = isSkewed ? nil : instant
        streamRefusal = nil
        if !stream.isRunning { stream.reset(at: end) }
    }

    /// The bytes that are appended next will be elsewhere on the server than here: its end is another one.
    mutating func appendsElsewhere(thanAt end: Int64?) {
        isSkewed = true
        skew = (end ?? serverSize) - serverSize
    }

    /// Ranges go to their places in the file.
    mutating func patch(_ ranges: [Range<Int64>]) {
        isTouched = true
        for range in ranges { map.take(range) }
    }

    /// Nobody knows which of them have arrived.
    mutating func patchFailed() { map.giveBack() }

    /// What the server has is not what was sent there: all of it has to go again.
    mutating func distrust() {
        abandonAttempt()
        mustReplace = true
    }

    /// A name on the server belongs to this file now.
    mutating func useTemporary(_ name: FileName) {
        temporary = name
        late[.temporary] = nil
        mayBePublished = false
    }

    /// It does not any more.
    mutating func forgetTemporary() { temporary = nil }

    /// The content is on the server. What else was asked for meanwhile comes next; when that is nothing, the upload
    /// has ended, and from then on who wants another time or mode sends it himself.
    ///
    /// - Returns: `nil` when the upload has ended.
    mutating func nextWishes(version: UInt64) -> Wishes? {
        let wishes = Wishes(mode: wantedMode, time: wantedTime)
        (wantedMode, wantedTime) = (nil, nil)
        if wishes != Wishes() { return wishes }
        transfer = nil
        needsConclusion = false
        failure = nil
        self.version = version
        return nil
    }

    /// What was wished has been done behind the last byte, as far as it is still wished.
    mutating func settle(_ errands: UploadErrands, _ outcome: UploadErrands.Outcome) {
        if outcome.isModeSet, let mode = errands.mode, wantedMode == mode { (wantedMode, settled.mode) = (nil, mode) }
        if outcome.isTimeSet, let time = errands.time, wantedTime == time { (wantedTime, settled.time) = (nil, time) }
    }

    /// What was done so; taken by whoever tells the rest of the mount.
    mutating func takeSettled() -> Wishes {
        defer { settled = Wishes() }
        return settled
    }

    /// The mode that the file is to have, if somebody wished one; taken by whoever sets it.
    mutating func takeWantedMode() -> UInt32? {
        defer { wantedMode = nil }
        return wantedMode
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

    /// It is not there.
    mutating func uploadFailed(_ error: StoreError) {
        transfer = nil
        sizeTrustedUntil = nil
        failure = (revision, error)
        stream.failed()
        // The next transfer undoes what this one has set.
        (wantedMode, wantedTime) = (wantedMode ?? settled.mode, wantedTime ?? settled.time)
        settled = Wishes()
    }
}

// MARK: - For another process

extension WriteState {
    /// Goes on with what another process has written down.
    ///
    /// - Parameters:
    ///   - entry: from the journal.
    ///   - file: holds the ranges; `nil` when there are none.
    init(_ entry: JournalEntry, in file: SpoolFile?) {
        let content = entry.content
        isLocal = true
        // What is not here is on the server, at the same offset.
        map = ExtentMap(size: min(content.serverSize, content.size))
        for range in content.ranges { map.wrote(range) }
        map.resize(to: content.size)
        spool = file
        serverSize = content.serverSize
        mustReplace = content.mustReplace
        replacesContent = content.replacesContent
        isPending = content.isNew
        isAppendOnly = content.isAppendOnly
        wantedMode = content.mode
        wantedTime = content.time
        base = content.base
        isTouched = entry.isTouched
        // Its connections were closed in order when it ended; what it had handed to them may be on its way.
        if entry.isBegun || !entry.sent.isEmpty {
            let isAtEnd = isAppendOnly && !mustReplace
            late[.name] = LateBytes(
                (isAtEnd ? serverSize : 0)..<max(serverSize, map.size), isAtEnd: isAtEnd, isStale: true)
        }
        former = Former(isBegun: entry.isBegun, sent: entry.sent, leaving: entry.leaving)
        journalID = entry.id
        revision = 1
        securedRevision = 1
        stream.failed()
    }

    /// The file gets a name that nothing has: all of it has to be sent, and nobody can miss what was there.
    mutating func becomeNew() {
        abandonAttempt()
        mustReplace = true
        replacesContent = false
        isPending = true
        isTouched = false
        former = Former()
        hasLeftParts = false
        late = [:]
        isAppendOnly = false
        base = nil
    }

    /// The content is on the server alone.
    mutating func becomeRemote() {
        (isLocal, mustReplace, isPending, needsConclusion, map) = (false, false, false, false, ExtentMap())
        (former, wantedMode, wantedTime, spool) = (Former(), nil, nil, nil)
    }

    /// The first bytes of what is to be appended are there already: another process has sent them.
    ///
    /// - Parameter end: where the server's file ends.
    mutating func appended(to end: Int64, trustedUntil instant: Instant) {
        former = Former()
        late[.name] = nil
        map.take(serverSize..<end)
        beginAttempt(.name, from: serverSize, isAppend: true)
        attempt?.reach = end
        confirmed(trustedUntil: instant)
    }

    /// The file behind the content is left to the journal; the next byte makes another one.
    mutating func leaveSpool() { spool = nil }
}
