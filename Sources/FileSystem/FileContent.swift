import SystemPackage
import Threading
import Vocabulary

/// What all handles of one file share: the content that is here, the reader, and the gate for transfers.
///
/// Lock order: nothing else is locked while ``state`` is held, and the local disk is the only thing that may be
/// waited for in it (a read does not even that). ``gate`` is held through a transfer, and through everything else
/// that must not happen during one; it is entered with no monitor held.
final class FileContent: Sendable {
    let inode: InodeNumber
    let reader: FileReader
    let gate = Gate()
    let state: Monitor<WriteState>
    private let spool: Spool

    init(inode: InodeNumber, reader: FileReader, spool: Spool, state: WriteState) {
        self.inode = inode
        self.reader = reader
        self.spool = spool
        self.state = Monitor(state)
    }

    /// How writing went.
    enum WriteOutcome: Sendable {
        /// The bytes are here; this is what `stat` has to know.
        case written(size: Int64, revision: UInt64)
        /// Something has to be brought here first.
        case needsPreparation
    }

    /// Puts bytes into the spool, if that needs no preparation.
    func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int64, isAppend: Bool
    ) throws(StoreError) -> WriteOutcome {
        try state.withLock { state throws(StoreError) -> WriteOutcome in
            guard case .ready(let place) = state.admit(offset: offset, isAppend: isAppend, remoteSize: nil) else {
                return .needsPreparation
            }
            let (end, overflow) = place.addingReportingOverflow(Int64(bytes.count))
            guard !overflow, end >= 0 else { throw StoreError(.tooLarge, "write beyond the largest offset") }
            try file(&state).write(bytes, at: place)
            state.wrote(at: place, count: bytes.count, isAppend: isAppend)
            return .written(size: state.size, revision: state.revision)
        }
    }

    /// Cuts or extends what is here.
    ///
    /// - Returns: the revision; `nil` if bytes from the server are needed for that.
    func truncate(to size: Int64) throws(StoreError) -> UInt64? {
        try state.withLock { state throws(StoreError) -> UInt64? in
            guard state.canTruncate(to: size) else { return nil }
            if size == state.size && state.change == .none && !state.isPending { return state.revision }
            if state.spool != nil || size > 0 { try file(&state).truncate(to: size) }
            state.truncated(to: size)
            return state.revision
        }
    }

    /// Puts the fetched content, `size` bytes long, in the place of what is here, with what was written here over it.
    ///
    /// If more than a tail was written here meanwhile, all of it is here already, and stays.
    func install(_ fetched: SpoolFile, size: Int64, version: UInt64) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            if state.isWhole && state.isDirty && state.ownRange == nil { return }
            var whole = size
            if let own = state.ownRange, let spool = state.spool {
                try fetched.copy(own, from: spool)
                whole = max(size, own.upperBound)
            }
            if whole > size { try fetched.truncate(to: whole) }
            state.beginWhole(fetched, size: whole, version: version)
        }
    }

    private func file(_ state: inout WriteState) throws(StoreError) -> SpoolFile {
        if let file = state.spool { return file }
        let file = try spool.make()
        state.useSpool(file)
        return file
    }
}
