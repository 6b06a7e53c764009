package import SystemPackage
package import Threading
package import Vocabulary

/// Where the files are: the only thing that the file system knows of the other side.
///
/// Calls block until the answer is there; every wait inside has a deadline of the store's own, and ends early with
/// ``StoreError/Kind/cancelled`` when the request's `Cancellation` fires. Any thread may call anything at any time:
/// the store queues what it cannot do at once, and however few connections it has, a call never waits for another
/// *call* that waits for it (idle streams give their connection up by themselves).
///
/// The store keeps no cache of names or attributes; that is the file system's work.
package protocol RemoteStore: Sendable {
    /// What this store can do. May change while running, when the other side turns out to refuse something.
    var capabilities: StoreCapabilities { get }

    /// Looks whether there can be a thing of this name at all, as far as it is known here. Does not ask the other side.
    ///
    /// - Throws: `invalidArgument` when there cannot.
    func check(newName name: FileName) throws(StoreError)

    /// How many more transfers could begin now without anybody having to wait for a connection, one being left for short
    /// work. Does not block.
    var spareStreams: Int { get }

    /// Whether there are connections for work ahead of anybody's wish. Does not block.
    ///
    /// - Parameter pieces: how many listings, or small files, are expected to be asked for so: what it costs to get further
    ///   connections for them must be less than it saves.
    func admitsAhead(pieces: Int) -> Bool

    /// Everything in a directory but `.` and `..`, in the order in which the server named it, each name once.
    ///
    /// - Parameter urgency: whether anybody waits for it. What is done ahead begins only on a connection that nobody else
    ///   wants, and waits for one until it is cancelled.
    /// - Throws: ``StoreError``: `notFound`, `notDirectory`, `denied`, or a failure of the connection.
    func list(
        _ directory: RemotePath, urgency: Urgency, cancellation: Cancellation
    ) throws(StoreError) -> [RemoteEntry]

    /// The same, and whether it is all.
    ///
    /// - Parameter isKnown: whether the listing of the parent directory, no older than its time to live, has this one:
    ///   then an empty answer need not be made sure to be that of a directory.
    func listing(
        of directory: RemotePath, isKnown: Bool, urgency: Urgency, cancellation: Cancellation
    ) throws(StoreError) -> RemoteListing

    /// What a symbolic link shows here, given what the server says that it points to. No I/O; cheap.
    ///
    /// - Parameter path: where the link is now.
    /// - Throws: `notPermitted` for a target that must not be followed on this side.
    func shownTarget(_ target: [UInt8], ofLinkAt path: RemotePath) throws(StoreError) -> [UInt8]

    /// A fresh look at one thing; costs at most a listing of its parent.
    ///
    /// - Returns: `nil` when the server says that there is no such thing.
    func look(at path: RemotePath, cancellation: Cancellation) throws(StoreError) -> RemoteAttributes?

    /// How long a file is, by the cheapest look that the server has; of interest to who is about to append to it.
    ///
    /// - Returns: `nil` when the server does not say.
    /// - Throws: `notFound` when there is no such file.
    func size(of path: RemotePath, cancellation: Cancellation) throws(StoreError) -> Int64?

    /// Starts to read a file at a byte offset. The result delivers the bytes from there to the end of the file.
    ///
    /// - Parameter expecting: what the reader knows of the file. If the stream has to be taken up again after a lost
    ///   connection and the file is then another one, the stream fails with `changedRemotely`.
    /// - Parameter urgency: as for ``list(_:urgency:cancellation:)``; a stream that was opened ahead gives its connection
    ///   up to whoever wants one.
    func openRead(
        _ path: RemotePath, from offset: Int64, expecting: RemoteAttributes, urgency: Urgency,
        cancellation: Cancellation
    ) throws(StoreError) -> any RemoteReadStream

    /// Starts to write a file.
    ///
    /// - Parameters:
    ///   - mode: where the bytes go. With `.replace` the file need not exist.
    ///   - whenWanted: for a stream that waits for its writer between two sends: called, on any thread and without a lock,
    ///     when others wait for the connection. The writer then finishes soon, and may append the rest later.
    ///     `nil`: the bytes are all there, and nobody is to interrupt them.
    /// - Throws: `unsupported` where the server has no command for that mode.
    func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream

    /// The same, for a write of which more is known.
    ///
    /// - Parameters:
    ///   - head: the first bytes: the store may send them along with the command, which saves a round trip. The stream's first
    ///     `send` brings them all the same, and then does not send them again. When this throws, some of them may be in the
    ///     file all the same, unless it is a refusal.
    ///   - question: what has to be known of the size of the file before. Only where ``StoreCapabilities/looksInFlight``.
    /// - Throws: `changedRemotely` when the size is not the required one; nothing has been written then.
    func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, head: UploadHead?, size question: SizeQuestion,
        whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream

    /// Whether bytes written into the middle of a file (``RemoteWriteMode/at(_:)``) leave what follows them alone.
    ///
    /// The first time it is tried with a scratch file, which is removed again: some eight round trips.
    ///
    /// - Parameter scratch: a name that nothing has.
    /// - Throws: when it could not be found out, since no file can be made there, or the connection failed.
    func keepsTail(scratch: RemotePath, cancellation: Cancellation) throws(StoreError) -> Bool

    /// How much room there is.
    ///
    /// - Returns: `nil` where the server does not say, and never will.
    func space(cancellation: Cancellation) throws(StoreError) -> RemoteSpace?

    /// What the other side counts over the content of a file, as `ALGORITHM:HEXADECIMAL`. May take as long as reading it there.
    ///
    /// - Returns: `nil` where it cannot.
    func checksum(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) -> [UInt8]?

    /// Makes a directory. - Throws: `exists` when the name is taken, by whatever.
    func makeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(StoreError)

    /// Removes an empty directory. - Throws: `notEmpty`, also on servers that would remove a full one.
    func removeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(StoreError)

    /// Removes a file or a symbolic link.
    func removeFile(_ path: RemotePath, cancellation: Cancellation) throws(StoreError)

    /// Renames. A file takes the place of a file, so that neither is lost if it fails in the middle.
    ///
    /// - Parameter replacing: whether a file at the target may go. Without it `exists` is thrown where the server looks;
    ///   many replace without being asked, so the caller sees to it that nothing is there.
    func rename(
        _ path: RemotePath, to target: RemotePath, replacing: Bool, cancellation: Cancellation) throws(StoreError)

    /// Makes a symbolic link with a target of arbitrary bytes. - Throws: `unsupported` on most servers.
    func makeSymbolicLink(_ path: RemotePath, target: [UInt8], cancellation: Cancellation) throws(StoreError)

    /// Sets when the content was last changed. - Throws: `unsupported` where the server has no command for it.
    func setModificationTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(StoreError)

    /// The same of a directory. - Throws: `unsupported` also where the server does so for files only.
    func setDirectoryTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(StoreError)

    /// Sets the permission bits (07777). - Throws: `unsupported` where the server has no command for it.
    func setMode(_ path: RemotePath, to mode: UInt32, cancellation: Cancellation) throws(StoreError)

    /// Sets permission bits and time of a file, in one round trip where the server takes that.
    func setAttributes(
        _ path: RemotePath, mode: UInt32, time: Timestamp, cancellation: Cancellation
    ) -> StoredAttributes
}

extension RemoteStore {
    /// For stores that gain nothing by knowing more.
    package func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, head: UploadHead?, size question: SizeQuestion,
        whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        try openWrite(path, mode: mode, whenWanted: whenWanted, cancellation: cancellation)
    }

    /// For stores to which another connection costs nothing. With one there is no "ahead": it would take it from whoever
    /// comes next.
    package func admitsAhead(pieces: Int) -> Bool { spareStreams > 0 }

    /// For stores that take every name.
    package func check(newName name: FileName) throws(StoreError) {}

    /// For stores that do not say.
    package func space(cancellation: Cancellation) throws(StoreError) -> RemoteSpace? { nil }

    /// For stores that cannot count.
    package func checksum(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) -> [UInt8]? { nil }

    /// As of a file.
    package func setDirectoryTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(StoreError) {
        try setModificationTime(path, to: time, cancellation: cancellation)
    }

    /// One after the other.
    package func setAttributes(
        _ path: RemotePath, mode: UInt32, time: Timestamp, cancellation: Cancellation
    ) -> StoredAttributes {
        var stored = StoredAttributes()
        do throws(StoreError) {
            try setMode(path, to: mode, cancellation: cancellation)
        } catch {
            stored.modeError = error
        }
        do throws(StoreError) {
            try setModificationTime(path, to: time, cancellation: cancellation)
        } catch {
            stored.timeError = error
        }
        return stored
    }

    /// Renames as rename(2) does it: a file at the target goes.
    package func rename(_ path: RemotePath, to target: RemotePath, cancellation: Cancellation) throws(StoreError) {
        try rename(path, to: target, replacing: true, cancellation: cancellation)
    }

    /// Starts to write a file whose bytes are all there.
    package func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        try openWrite(path, mode: mode, whenWanted: nil, cancellation: cancellation)
    }

    /// Lists for somebody who waits.
    package func list(
        _ directory: RemotePath, cancellation: Cancellation
    ) throws(StoreError) -> [RemoteEntry] {
        try list(directory, urgency: .wanted, cancellation: cancellation)
    }

    /// Starts to read for somebody who waits.
    package func openRead(
        _ path: RemotePath, from offset: Int64, expecting: RemoteAttributes, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteReadStream {
        try openRead(path, from: offset, expecting: expecting, urgency: .wanted, cancellation: cancellation)
    }

    /// The answer of ``list(_:urgency:cancellation:)``, taken as complete.
    package func listing(
        of directory: RemotePath, isKnown: Bool, urgency: Urgency, cancellation: Cancellation
    ) throws(StoreError) -> RemoteListing {
        RemoteListing(entries: try list(directory, urgency: urgency, cancellation: cancellation), isComplete: true)
    }

    /// The target as it is.
    package func shownTarget(_ target: [UInt8], ofLinkAt path: RemotePath) throws(StoreError) -> [UInt8] { target }
}

/// What a directory holds, as far as the store could find out.
package struct RemoteListing: Sendable {
    package var entries: [RemoteEntry]
    /// Whether a name that is not among the entries does not exist. Otherwise it has to be asked for.
    package var isComplete: Bool

    package init(entries: [RemoteEntry], isComplete: Bool) {
        self.entries = entries
        self.isComplete = isComplete
    }
}

/// How much room a store says that there is, in bytes.
package struct RemoteSpace: Hashable, Sendable {
    /// What can still be written.
    package var free: UInt64
    /// What there may be in all; `nil`: it does not say.
    package var total: UInt64?

    package init(free: UInt64, total: UInt64?) {
        self.free = free
        self.total = total
    }
}

/// What became of attributes that were to be set together.
package struct StoredAttributes: Sendable {
    /// Why the mode was not set; `nil`: it was.
    package var modeError: StoreError?
    /// Why the time was not set; `nil`: it was.
    package var timeError: StoreError?

    package init(modeError: StoreError? = nil, timeError: StoreError? = nil) {
        self.modeError = modeError
        self.timeError = timeError
    }
}

/// What a store can do.
package struct StoreCapabilities: Hashable, Sendable {
    /// Whether modification times can be set.
    package var setsModificationTime: Bool
    /// Whether permission bits can be set.
    package var setsMode: Bool
    /// Whether symbolic links can be made.
    package var makesSymbolicLinks: Bool
    /// Whether files can be appended to.
    package var appends: Bool
    /// Whether it is known that bytes which are appended, or written into a file, come where they belong; where not, the
    /// first ones are looked at.
    package var isProven: Bool
    /// Whether the first bytes of a file can be written over without touching the rest. Most servers cannot be told so:
    /// `REST 0` and `STOR` cut the file.
    package var replacesStart: Bool
    /// Whether the size of a file can be asked for in the flight of a write, so that it costs no round trip.
    package var looksInFlight: Bool

    /// All of them.
    package init(
        setsModificationTime: Bool, setsMode: Bool, makesSymbolicLinks: Bool, appends: Bool = true,
        isProven: Bool = true, replacesStart: Bool = false, looksInFlight: Bool = false
    ) {
        self.looksInFlight = looksInFlight
        self.setsModificationTime = setsModificationTime
        self.setsMode = setsMode
        self.makesSymbolicLinks = makesSymbolicLinks
        self.appends = appends
        self.isProven = isProven
        self.replacesStart = replacesStart
    }
}

/// What a thing in a directory is.
package enum FileKind: Hashable, Sendable {
    case file
    case directory
    case symbolicLink
}

/// What the server says of one thing.
package struct RemoteAttributes: Hashable, Sendable {
    /// What it is.
    package var kind: FileKind
    /// Its length in bytes; `nil` when the server does not say.
    package var size: Int64?
    /// When its content was last changed; `nil` when the server does not say.
    package var modified: Timestamp?
    /// How coarse ``modified`` is: a time from `LIST` is cut to the minute, or to the day.
    package var timePrecision: TimePrecision
    /// Permission bits (0777); `nil` when the server does not say.
    package var mode: UInt32?
    /// What a symbolic link points to, as the server says it. For another kind: there is such a link on the server, and
    /// what it leads to is shown in its place; a new content must go through it.
    package var linkTarget: [UInt8]?

    /// What is known of a thing.
    package init(
        kind: FileKind, size: Int64? = nil, modified: Timestamp? = nil, timePrecision: TimePrecision = .second,
        mode: UInt32? = nil, linkTarget: [UInt8]? = nil
    ) {
        self.kind = kind
        self.size = size
        self.modified = modified
        self.timePrecision = timePrecision
        self.mode = mode
        self.linkTarget = linkTarget
    }
}

/// How coarse a time is.
package enum TimePrecision: Hashable, Sendable {
    case second
    case minute
    case day
}

/// One name in a directory and what it stands for.
package struct RemoteEntry: Hashable, Sendable {
    package var name: FileName
    package var attributes: RemoteAttributes

    package init(name: FileName, attributes: RemoteAttributes) {
        self.name = name
        self.attributes = attributes
    }
}

/// A file being read from some offset to its end. One reader at a time; ``close()`` may come from any thread.
///
/// The store may take the connection behind an idle stream away and make a new one for the next ``read(into:cancellation:)``;
/// the reader does not notice.
package protocol RemoteReadStream: AnyObject, Sendable {
    /// Waits for the next bytes and puts them into the buffer.
    ///
    /// - Returns: how many, at least 1; 0 only at the end of the file, after the server has confirmed the transfer.
    /// - Throws: `changedRemotely`, `timedOut` (no byte came in time), or another failure; the stream is then finished.
    func read(into buffer: UnsafeMutableRawBufferPointer, cancellation: Cancellation) throws(StoreError) -> Int

    /// Ends the stream, wherever it is. Does not wait for the server. Calling it again does nothing.
    func close()
}

/// Where the bytes of a ``RemoteWriteStream`` go.
package enum RemoteWriteMode: Hashable, Sendable {
    /// They become the whole content.
    case replace
    /// They follow the present content.
    case append
    /// They take the place of what is there from this offset on, which is more than 0. What becomes of the bytes
    /// behind them is for ``RemoteStore/keepsTail(scratch:cancellation:)`` to say.
    case at(Int64)
    /// They take the place of the first bytes, of exactly this many, and what follows them stays. Only where
    /// ``StoreCapabilities/replacesStart`` says so.
    case over(Int64)
}

/// A file being written. One writer.
package protocol RemoteWriteStream: AnyObject, Sendable {
    /// Sends a range of a local file, and returns when the last byte has been handed to the network.
    ///
    /// - Throws: the server's own reason where it gave one (`noSpace`, `denied`, …). The stream is then finished.
    func send(
        from file: FileDescriptor, range: Range<Int64>, cancellation: Cancellation
    ) throws(StoreError)

    /// Says that no more bytes come and waits until the server has confirmed them all.
    ///
    /// Returning means: the server has acknowledged every byte.
    func finish(cancellation: Cancellation) throws(StoreError)

    /// The same, with what is left to be done then, where that costs no round trip.
    ///
    /// - Returns: which of it has been done.
    func finish(doing errands: UploadErrands, cancellation: Cancellation) throws(StoreError) -> UploadErrands.Outcome

    /// How long the file was before the write, if that was asked.
    var sizeBefore: SizeAnswer { get }

    /// Gives up. What has been sent may be in the file or not; when this returns, no more of it will be, unless
    /// ``mayGoOn``. Calling it after ``finish(cancellation:)`` does nothing.
    func abort()

    /// Whether, after a failure or ``abort()``, bytes that were sent may still get into the file, at whatever time.
    var mayGoOn: Bool { get }
}

extension RemoteWriteStream {
    /// For stores that gain nothing by doing it together.
    package func finish(
        doing errands: UploadErrands, cancellation: Cancellation
    ) throws(StoreError) -> UploadErrands.Outcome {
        try finish(cancellation: cancellation)
        return UploadErrands.Outcome()
    }

    /// For stores that do not tell.
    package var sizeBefore: SizeAnswer { .unknown }

    /// For stores that always know.
    package var mayGoOn: Bool { false }
}
