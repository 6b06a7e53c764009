import Threading

extension FileSystem {
    private static let outdated = StoreError(
        .changedRemotely, "the file changed on the server while it was being read; open it again")

    /// Reads: what the spool has from there, the rest through the file's reader.
    package func read(
        _ handle: HandleID, offset: Int64, length: Int, _ request: Request,
        completion: @escaping @Sendable (ReadAnswer) -> Void
    ) {
        do throws(StoreError) {
            let file = try tree.withLock { tree throws(StoreError) in
                if tree.handles.isOutdated(handle) { throw Self.outdated }
                return try tree.file(handle)
            }
            guard file.flags.contains(.read) else { throw StoreError(.badHandle, "not open for reading") }
            let (end, overflow) = offset.addingReportingOverflow(Int64(length))
            guard offset >= 0, length >= 0, !overflow else { throw StoreError(.invalidArgument, "read beyond 2^63") }
            if offset == 0 { noteReading(ofFile: file.inode) }
            let reader = file.content.reader
            let parts = file.content.state.withLock { $0.parts(of: offset..<end) }
            // After the content was looked at: what has just been sent, and is not here any more, is in the tree by
            // now.
            let (size, version) = try tree.withLock { tree throws(StoreError) in
                let inode = try tree.inode(file.inode)
                return (inode.attributes.size, inode.version)
            }
            guard let parts else {
                return reader.read(
                    offset..<end, size: size, version: version, request.cancellation, completion: completion)
            }
            try read(parts, completion) { range, completion in
                reader.read(range, size: size, version: version, request.cancellation, completion: completion)
            }
        } catch {
            completion(.failed(error))
        }
    }
}
