import Threading

extension FileSystem {
    /// Reads: what the spool has from there, the rest through the file's reader.
    package func read(
        _ handle: HandleID, offset: Int64, length: Int, _ request: Request,
        completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        do throws(StoreError) {
            let file = try tree.withLock { tree throws(StoreError) in try tree.file(handle) }
            guard file.flags.contains(.read) else { throw StoreError(.badHandle, "not open for reading") }
            let (end, overflow) = offset.addingReportingOverflow(Int64(length))
            guard offset >= 0, length >= 0, !overflow else { throw StoreError(.invalidArgument, "read beyond 2^63") }
            if offset == 0 { noteReading(ofFile: file.inode) }
            let reader = file.content.reader
            let readable = file.content.state.withLock { $0.readable }
            // After the content was looked at: what has just been sent, and is not here any more, is in the tree by
            // now.
            let (size, version) = try tree.withLock { tree throws(StoreError) in
                let inode = try tree.inode(file.inode)
                return (inode.attributes.size, inode.version)
            }
            guard let local = readable else {
                return reader.read(
                    offset..<end, size: size, version: version, request.cancellation, completion: completion)
            }
            let range = min(offset, local.size)..<min(end, local.size)
            let here = max(range.lowerBound, local.base)..<max(range.upperBound, local.base)
            if range.lowerBound >= local.base { return try answer(here, from: local.spool, completion) }
            let there = range.lowerBound..<min(range.upperBound, local.base)
            guard !here.isEmpty, let spool = local.spool else {
                return reader.read(there, size: size, version: version, request.cancellation, completion: completion)
            }
            readBoth(there, size, version, reader, then: here, spool, request.cancellation, completion)
        } catch {
            completion(.failed(error))
        }
    }

    /// Answers from the spool.
    private func answer(
        _ range: Range<Int64>, from spool: SpoolFile?, _ completion: @Sendable (ReadAnswer) -> Void
    ) throws(StoreError) {
        guard let spool, !range.isEmpty else { return completion(.bytes([])) }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: range.count, alignment: 16)
        defer { buffer.deallocate() }
        let count = try spool.read(into: buffer, at: range.lowerBound)
        completion(.bytes([UnsafeRawBufferPointer(rebasing: buffer[..<count])]))
    }

    /// Answers with the end of what is on the server and the begin of what follows here.
    private func readBoth(
        _ there: Range<Int64>, _ size: Int64?, _ version: UInt64, _ reader: FileReader,
        then here: Range<Int64>, _ spool: SpoolFile, _ cancellation: Cancellation,
        _ completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        reader.read(there, size: size, version: version, cancellation) { answer in
            guard case .bytes(let pieces) = answer, pieces.reduce(0, { $0 + $1.count }) == there.count else {
                return completion(answer)
            }
            let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: here.count, alignment: 16)
            defer { buffer.deallocate() }
            do throws(StoreError) {
                let count = try spool.read(into: buffer, at: here.lowerBound)
                completion(.bytes(pieces + [UnsafeRawBufferPointer(rebasing: buffer[..<count])]))
            } catch {
                completion(.failed(error))
            }
        }
    }
}
