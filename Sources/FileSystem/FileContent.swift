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

    // MARK: - The gate

    /// Goes in when nobody else is inside. A stream that sends while the program writes is inside all the time; it is
    /// told how to end.
    func enterGate(ending end: UploadStream.End, _ cancellation: Cancellation) throws(StoreError) {
        let transfer = state.withLockThenWake { state -> Cancellation? in
            state.stream.end(end) && end == .abandon ? state.transfer : nil
        }
        transfer?.cancel()
        try gate.enter(cancellation)
    }

    // MARK: - Writing

    /// How writing went.
    enum WriteOutcome: Sendable {
        /// The bytes are here; this is what `stat` has to know, and whether a thread has to be asked for to send them.
        case written(size: Int64, revision: UInt64, wantsStream: Bool)
        /// The server's file has to be looked at first.
        case needsPreparation
    }

    /// Puts bytes into the spool, if that needs no preparation.
    func write(
        _ bytes: UnsafeRawBufferPointer, at offset: Int64, isAppend: Bool
    ) throws(StoreError) -> WriteOutcome {
        // The thread that sends may be waiting for these bytes.
        try state.withLockThenWake { state throws(StoreError) -> WriteOutcome in
            guard state.isLocal else { return .needsPreparation }
            // A full server: the program may as well hear of it now.
            if let refusal = state.streamRefusal, !refusal.isRefusal { throw refusal }
            let place = isAppend ? state.size : offset
            let (end, overflow) = place.addingReportingOverflow(Int64(bytes.count))
            guard !overflow, end >= 0 else { throw StoreError(.tooLarge, "write beyond the largest offset") }
            try spool.admit(bytes.count)
            let file = try file(&state)
            try file.write(bytes, at: place)
            let wantsStream = state.wrote(place..<end, isAppend: isAppend)
            file.holds(state.map.validCount)
            return .written(size: state.size, revision: state.revision, wantsStream: wantsStream)
        }
    }

    /// Cuts or extends what is here. Inside the gate.
    ///
    /// - Returns: the revision.
    func truncate(to size: Int64) throws(StoreError) -> UInt64 {
        try state.withLock { state throws(StoreError) -> UInt64 in
            if size == state.size && !(size == 0 && state.isDirty) { return state.revision }
            // After a crash the content that was closed last is what there is.
            if size == 0, state.spool?.isInJournal == true { state.leaveSpool() }
            if state.spool != nil || size > state.size { try file(&state).truncate(to: size) }
            state.resized(to: size)
            state.spool?.holds(state.map.validCount)
            return state.revision
        }
    }

    // MARK: - What comes from the server

    /// Puts bytes that came from the server into the spool, but for those that have been written here.
    func fetched(_ bytes: UnsafeRawBufferPointer, at offset: Int64) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            for gap in state.map.missing(in: offset..<offset + Int64(bytes.count)) {
                let part = UnsafeRawBufferPointer(
                    rebasing: bytes[Int(gap.lowerBound - offset)..<Int(gap.upperBound - offset)])
                try spool.admit(part.count)
                try file(&state).write(part, at: gap.lowerBound)
                state.fetched(gap)
            }
            state.spool?.holds(state.map.validCount)
        }
    }

    /// The server's file is another one than we knew, and this long.
    func rebase(onto serverSize: Int64) throws(StoreError) {
        try state.withLock { state throws(StoreError) in
            for gap in state.rebase(onto: serverSize) { try state.spool?.erase(gap) }
        }
    }

    private func file(_ state: inout WriteState) throws(StoreError) -> SpoolFile {
        if let file = state.spool { return file }
        let file = try spool.make()
        state.useSpool(file)
        return file
    }
}
