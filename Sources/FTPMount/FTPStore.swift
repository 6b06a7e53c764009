package import FTPClient
import FTPProtocol
package import FileSystem
import SystemPackage
package import Threading
package import Vocabulary

/// An FTP server as the file system's store: types are converted, and what the server said becomes what it means.
///
/// FTP has one number, 550, for "does not exist", "not allowed", "exists already", "not empty" and "not a file". What it
/// means is found by what was asked and at most one cheap look at the thing or its parent; the wording of the reply,
/// which servers translate, only helps where looking cannot (see `FTPStore+Refusals.swift`).
package final class FTPStore: RemoteStore {
    let client: Client

    /// What is shown of symbolic links.
    private let links: SymbolicLinks

    /// A store over a client, which stays the caller's to close.
    package init(_ client: Client, links: SymbolicLinks = .contain) {
        self.client = client
        self.links = links
    }

    package var capabilities: StoreCapabilities {
        StoreCapabilities(
            setsModificationTime: client.setsModificationTime, setsMode: client.setsMode,
            makesSymbolicLinks: client.makesSymbolicLinks, appends: client.appends,
            isProven: client.isProvenToWrite, replacesStart: client.replacesStart,
            looksInFlight: client.looksInFlight)
    }

    package func check(newName name: FileName) throws(StoreError) {
        do throws(FTPError) { try client.check(newName: name) } catch { throw StoreError(error) }
    }

    package var spareStreams: Int { client.spareConnections }

    package func admitsAhead(pieces: Int) -> Bool { client.admitsAhead(pieces: pieces) }

    package func list(
        _ directory: RemotePath, urgency: Urgency, cancellation: Cancellation
    ) throws(StoreError) -> [RemoteEntry] {
        try listing(of: directory, isKnown: false, urgency: urgency, cancellation: cancellation).entries
    }

    package func listing(
        of directory: RemotePath, isKnown: Bool, urgency: Urgency, cancellation: Cancellation
    ) throws(StoreError) -> RemoteListing {
        do throws(FTPError) {
            let listing = try client.listing(
                of: directory, checking: !isKnown, urgency: urgency, cancellation: cancellation)
            let entries = try followed(listing.entries, in: directory, cancellation)
            return RemoteListing(
                entries: entries.compactMap { entry in
                    RemoteAttributes(entry).map { RemoteEntry(name: entry.name, attributes: $0) }
                }, isComplete: listing.isComplete)
        } catch {
            throw explain(error, .list(directory), cancellation)
        }
    }

    /// What the listing shows in place of symbolic links; and sees that their targets can be understood.
    private func followed(
        _ entries: [ListingEntry], in directory: RemotePath, _ cancellation: Cancellation
    ) throws(FTPError) -> [ListingEntry] {
        let slash = UInt8(ascii: "/")
        if links != .keep, entries.contains(where: { $0.linkTarget?.first == slash }) {
            try client.learnBaseDirectory(cancellation: cancellation)
        }
        return links == .follow ? try client.following(entries, in: directory, cancellation: cancellation) : entries
    }

    package func shownTarget(_ target: [UInt8], ofLinkAt path: RemotePath) throws(StoreError) -> [UInt8] {
        if links == .keep { return target }
        guard let shown = ContainedLink.target(target, ofLinkAt: path, base: client.baseDirectory) else {
            throw StoreError(
                .notPermitted,
                "\(path) leads to \(printable(target)), out of the mount; symlinks=follow shows what is there on the server"
            )
        }
        return shown
    }

    package func look(
        at path: RemotePath, cancellation: Cancellation
    ) throws(StoreError) -> RemoteAttributes? {
        // The root was entered when the session was made; nothing above it need be readable.
        if path.isRoot { return RemoteAttributes(kind: .directory) }
        do throws(FTPError) {
            guard let entry = try client.status(of: path, cancellation: cancellation) else { return nil }
            return try followed([entry], in: path.parent, cancellation).first.flatMap { RemoteAttributes($0) }
        } catch {
            throw explain(error, .look(path), cancellation)
        }
    }

    package func openRead(
        _ path: RemotePath, from offset: Int64, expecting: RemoteAttributes, urgency: Urgency,
        cancellation: Cancellation
    ) throws(StoreError) -> any RemoteReadStream {
        do throws(FTPError) {
            let stream = try client.openRead(
                path, from: offset, expecting: FileVersion(expecting), urgency: urgency, cancellation: cancellation)
            return StoreReadStream(stream)
        } catch {
            throw explain(error, .read(path), cancellation)
        }
    }

    package func size(of path: RemotePath, cancellation: Cancellation) throws(StoreError) -> Int64? {
        do throws(FTPError) {
            if let size = try client.size(of: path, cancellation: cancellation) { return size }
        } catch {
            // `SIZE` is refused for many reasons besides that there is no such file: the listing knows.
            guard error.refusal != nil else { throw StoreError(error) }
        }
        guard let attributes = try look(at: path, cancellation: cancellation) else {
            throw StoreError(.notFound, "\(path)")
        }
        return attributes.size
    }

    package func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        try openWrite(path, mode: mode, head: nil, size: .none, whenWanted: whenWanted, cancellation: cancellation)
    }

    package func openWrite(
        _ path: RemotePath, mode: RemoteWriteMode, head: UploadHead?, size question: SizeQuestion,
        whenWanted: (@Sendable () -> Void)?, cancellation: Cancellation
    ) throws(StoreError) -> any RemoteWriteStream {
        var mayGoOn = false
        do throws(FTPError) {
            let stream = try client.openWrite(
                path, WriteMode(mode), head: head, size: question, whenWanted: whenWanted, cancellation: cancellation,
                mayGoOn: &mayGoOn)
            return StoreWriteStream(stream, path, self)
        } catch {
            var reason = explain(error, .write(path), cancellation)
            reason.mayGoOn = mayGoOn
            throw reason
        }
    }

    package func keepsTail(scratch: RemotePath, cancellation: Cancellation) throws(StoreError) -> Bool {
        do throws(FTPError) {
            return try client.keepsTail(scratch: scratch, cancellation: cancellation)
        } catch {
            throw explain(error, .write(scratch), cancellation)
        }
    }

    package func makeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) {
        do throws(FTPError) {
            try client.makeDirectory(path, cancellation: cancellation)
        } catch {
            throw explain(error, .makeDirectory(path), cancellation)
        }
    }

    package func removeDirectory(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) {
        // Some servers remove a full directory with everything in it. What programs rely on is that this fails.
        if !client.removesOnlyEmpty { try requireEmpty(path, cancellation) }
        do throws(FTPError) {
            try client.removeDirectory(path, cancellation: cancellation)
        } catch {
            // Where nobody has looked before: "failed" is all that some say of a full one.
            if client.removesOnlyEmpty, error.refusal != nil { try requireEmpty(path, cancellation) }
            throw explain(error, .removeDirectory(path), cancellation)
        }
    }

    /// Makes sure that a directory holds nothing. A line that is not understood may stand for a file.
    private func requireEmpty(_ path: RemotePath, _ cancellation: Cancellation) throws(StoreError) {
        let count: Int
        do throws(FTPError) {
            count = try client.lineCount(of: path, cancellation: cancellation)
        } catch {
            throw explain(error, .list(path), cancellation)
        }
        guard count == 0 else { throw StoreError(.notEmpty, "\(path) holds \(count) entries") }
    }

    package func removeFile(_ path: RemotePath, cancellation: Cancellation) throws(StoreError) {
        do throws(FTPError) {
            try client.removeFile(path, cancellation: cancellation)
        } catch {
            throw explain(error, .removeFile(path), cancellation)
        }
    }

    package func rename(
        _ path: RemotePath, to target: RemotePath, replacing: Bool, cancellation: Cancellation
    ) throws(StoreError) {
        do throws(FTPError) {
            try client.rename(path, to: target, replacing: replacing, cancellation: cancellation)
        } catch {
            throw explain(error, .rename(path, to: target), cancellation)
        }
    }

    package func makeSymbolicLink(
        _ path: RemotePath, target: [UInt8], cancellation: Cancellation
    ) throws(StoreError) {
        do throws(FTPError) {
            try client.makeSymbolicLink(path, target: target, cancellation: cancellation)
        } catch {
            throw explain(error, .makeSymbolicLink(path), cancellation)
        }
    }

    package func setModificationTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(StoreError) {
        do throws(FTPError) {
            try client.setModificationTime(path, to: time, cancellation: cancellation)
        } catch {
            throw explain(error, .setAttributes(path), cancellation)
        }
    }

    package func setDirectoryTime(
        _ path: RemotePath, to time: Timestamp, cancellation: Cancellation
    ) throws(StoreError) {
        do throws(FTPError) {
            try client.setDirectoryTime(path, to: time, cancellation: cancellation)
        } catch {
            // Not worth a look: whatever the refusal means, the time is not stored.
            throw StoreError(error)
        }
    }

    package func setAttributes(
        _ path: RemotePath, mode: UInt32, time: Timestamp, cancellation: Cancellation
    ) -> StoredAttributes {
        let outcome = client.setAttributes(path, mode: mode, time: time, cancellation: cancellation)
        return StoredAttributes(
            modeError: outcome.modeError.map { explain($0, .setAttributes(path), cancellation) },
            timeError: outcome.timeError.map { explain($0, .setAttributes(path), cancellation) })
    }

    package func setMode(_ path: RemotePath, to mode: UInt32, cancellation: Cancellation) throws(StoreError) {
        do throws(FTPError) {
            try client.setMode(path, to: mode, cancellation: cancellation)
        } catch {
            throw explain(error, .setAttributes(path), cancellation)
        }
    }
}

/// A ``ReadStream`` in the file system's terms.
private final class StoreReadStream: RemoteReadStream {
    private let stream: ReadStream

    init(_ stream: ReadStream) {
        self.stream = stream
    }

    func read(
        into buffer: UnsafeMutableRawBufferPointer, cancellation: Cancellation
    ) throws(StoreError) -> Int {
        do throws(FTPError) {
            return try stream.read(into: buffer, cancellation: cancellation)
        } catch {
            throw StoreError(error)
        }
    }

    func close() {
        stream.close()
    }
}

/// A ``WriteStream`` in the file system's terms.
private final class StoreWriteStream: RemoteWriteStream {
    private let stream: WriteStream
    private let path: RemotePath
    private let store: FTPStore

    init(_ stream: WriteStream, _ path: RemotePath, _ store: FTPStore) {
        self.stream = stream
        self.path = path
        self.store = store
    }

    func send(
        from file: FileDescriptor, range: Range<Int64>, cancellation: Cancellation
    ) throws(StoreError) {
        do throws(FTPError) {
            try stream.send(from: file, range: range, cancellation: cancellation)
        } catch {
            throw store.explain(error, .write(path), cancellation)
        }
    }

    var sizeBefore: SizeAnswer { stream.sizeBefore }

    var mayGoOn: Bool { stream.mayGoOn }

    func finish(cancellation: Cancellation) throws(StoreError) {
        _ = try finish(doing: UploadErrands(), cancellation: cancellation)
    }

    func finish(
        doing errands: UploadErrands, cancellation: Cancellation
    ) throws(StoreError) -> UploadErrands.Outcome {
        do throws(FTPError) {
            return try stream.finish(doing: errands, cancellation: cancellation)
        } catch {
            throw store.explain(error, .write(path), cancellation)
        }
    }

    func abort() {
        stream.abort()
    }
}

extension RemoteAttributes {
    /// What a listing says of a thing; `nil` for devices and the like, which nobody can use over FTP.
    fileprivate init?(_ entry: ListingEntry) {
        let kind: FileKind
        switch entry.kind {
        case .file: kind = .file
        case .directory: kind = .directory
        case .symbolicLink: kind = .symbolicLink
        case .special: return nil
        }
        let precision: TimePrecision
        switch entry.precision {
        case .second: precision = .second
        case .minute: precision = .minute
        case .day: precision = .day
        }
        self.init(
            kind: kind, size: entry.size, modified: entry.modified, timePrecision: precision, mode: entry.mode,
            linkTarget: entry.linkTarget)
    }
}

extension WriteMode {
    fileprivate init(_ mode: RemoteWriteMode) {
        switch mode {
        case .replace: self = .replace
        case .append: self = .append
        case .at(let offset): self = .at(offset)
        case .over(let count): self = .over(count)
        }
    }
}

extension FileVersion {
    fileprivate init(_ attributes: RemoteAttributes) {
        let precision: ListingEntry.Precision
        switch attributes.timePrecision {
        case .second: precision = .second
        case .minute: precision = .minute
        case .day: precision = .day
        }
        self.init(size: attributes.size, modified: attributes.modified, precision: precision)
    }
}
