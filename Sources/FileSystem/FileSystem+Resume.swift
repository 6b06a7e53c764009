package import Logging
import SystemPackage
import Threading
import Vocabulary

/// Going on with what another process of the same mount has left.
extension FileSystem {
    /// A file system that sends files after their close, and first of all those that the journal in its spool directory says were
    /// not sent when the last process ended. They show in the tree from the beginning. Makes no call to the store.
    ///
    /// The spool directory belongs to this source alone, and is the same whenever it is mounted.
    ///
    /// - Throws: when the journal can be neither read nor made.
    package convenience init(
        store: any RemoteStore, configuration: FileSystemConfiguration, writeBack settings: WriteBackSettings,
        logger: Logger = Logger(label: "filesystem")
    ) throws(StoreError) {
        let (journal, replay) = try Journal.open(in: configuration.spoolDirectory)
        let writeBack = WriteBack(settings, journal, lastID: replay.lastID)
        self.init(store: store, configuration: configuration, logger: logger, writeBack: writeBack)
        let leftOver = spool.leftOver()
        var places: [RemotePath: InodeNumber] = [:]
        // The last word on a path first.
        for entry in replay.pending.reversed() {
            do throws(StoreError) {
                guard places[entry.path] == nil else {
                    throw StoreError(.exists, "a later content of the same file waits too")
                }
                places[entry.path] = try resume(entry, writeBack)
            } catch {
                giveUp(entry, error, writeBack)
            }
        }
        if !places.isEmpty { logger.notice("\(places.count) files wait to be sent since the last mount") }
        let known = Set(replay.pending.map(\.spoolName))
        putAside(leftOver.filter { !known.contains(Array($0.utf8)) })
        // From here on files come and go.
        if !places.isEmpty { startWorkers(writeBack) }
    }

    /// Puts a file that waits into the tree and into the queue.
    private func resume(_ saved: JournalEntry, _ writeBack: WriteBack) throws(StoreError) -> InodeNumber {
        var entry = saved
        let file = try spoolFile(&entry)
        let state = WriteState(entry, in: file)
        let (size, revision) = (state.size, state.revision)
        guard let name = entry.path.name else { throw StoreError(.invalidArgument, "the root of the mount") }
        let content = tree.withLock { tree -> FileContent? in
            let seen = configuration.now()
            guard var directory = tree.inodes[.root] else { return nil }
            for component in entry.path.parent.components {
                directory = tree.inodes.intern(component, in: directory, RemoteAttributes(kind: .directory))
            }
            let attributes = RemoteAttributes(
                kind: .file, size: entry.content.serverSize, modified: entry.modified, mode: entry.shownMode)
            let known = DirectoryRecord.Entry(attributes: attributes, origin: .pending, seen: seen)
            tree.directories.set(name, in: directory.number, known)
            let inode = tree.intern(name, in: directory, known)
            let content = makeContent(of: inode.number, state)
            inode.content = content
            inode.local = Inode.LocalContent(size: size, modified: entry.modified, revision: revision)
            return content
        }
        guard let content else { throw StoreError(.notFound, "no root") }
        _ = writeBack.committed(
            entry.id, content, sequence: entry.sequence, in: file, due: configuration.now(), hold: hold(content))
        return content.inode
    }

    /// The bytes of a file that waits, and its ranges as far as they are there.
    private func spoolFile(_ entry: inout JournalEntry) throws(StoreError) -> SpoolFile? {
        let ranges = entry.content.ranges
        let count = ranges.reduce(Int64(0)) { $0 + ($1.upperBound - $1.lowerBound) }
        if let inline = entry.inline {
            guard Int64(inline.count) == count else { throw StoreError(.inputOutput, "the record is short") }
            // What is in the file may be newer, but nobody had closed it.
            _ = spool.adopt(entry.spoolName, holding: 0)
            if ranges.isEmpty { return nil }
            let file = try spool.make()
            var position = 0
            for range in ranges {
                try file.write(inline[position..<position + range.count], at: range.lowerBound)
                position += range.count
            }
            file.holds(count)
            file.park()
            return file
        }
        if ranges.isEmpty { return nil }
        guard let (file, length) = spool.adopt(entry.spoolName, holding: count) else {
            throw StoreError(.inputOutput, "its content is not in \(spool.directory) any more")
        }
        // A program that had opened it again had cut it when the process ended, as it would have cut it on a local disk.
        if let last = ranges.last, last.upperBound > length {
            entry.content.size = length
            entry.content.ranges = ranges.compactMap { range in
                let rest = range.clamped(to: 0..<length)
                return rest.isEmpty ? nil : rest
            }
        }
        return file
    }

    /// A file that cannot be gone on with: what there is of it goes to lost+found.
    private func giveUp(_ entry: JournalEntry, _ error: StoreError, _ writeBack: WriteBack) {
        let found = try? spoolFile(in: entry)
        let place = found.map { spool.keep($0, of: entry.path, "\(entry.content.size) bytes", because: error) }
        logger.error(
            "\(entry.path): cannot be sent: \(error)\(place.map { "; what there is of it is kept in \($0)" } ?? "")")
        try? writeBack.journal.append(.settled(id: entry.id, sequence: entry.sequence), isDurable: true)
    }

    private func spoolFile(in entry: JournalEntry) throws(StoreError) -> SpoolFile? {
        var entry = entry
        return try spoolFile(&entry)
    }

    /// What no record names was being written when the process ended, by a program that has not closed it.
    private func putAside(_ names: [String]) {
        let places = names.compactMap { spool.putAside($0) }
        guard let first = places.first else { return }
        let directory = first.removingLastComponent()
        logger.warning(
            "\(places.count) files that no program had closed when the last mount was killed are kept in \(directory)")
    }
}
