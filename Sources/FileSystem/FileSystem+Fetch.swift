import Threading
import Vocabulary

/// Bringing content from the server into the spool, where a whole file has to be sent and not all of it is here.
extension FileSystem {
    /// Ranges that are closer than this are fetched by one transfer: another one costs some three round trips, in which a
    /// line of 100 Mbit/s and 20 ms brings about as much.
    private static let joinDistance: Int64 = 768 << 10

    /// Fetches whatever is missing of a file. Inside the gate.
    func fetchMissing(_ content: FileContent, _ cancellation: Cancellation) throws(StoreError) {
        // Each round but the last ends with the discovery that the server's file is shorter than it was.
        while true {
            let missing = content.state.withLock { $0.map.missing(in: 0..<$0.size) }
            guard let first = missing.first else { return }
            var range = first
            for next in missing.dropFirst() where next.lowerBound - range.upperBound < Self.joinDistance {
                range = range.lowerBound..<next.upperBound
            }
            let end = try fetch(range, of: content, cancellation)
            if end < range.upperBound { try rebase(content, onto: end, cancellation) }
        }
    }

    /// Takes the server's file for as short as it was read. What follows is a content without the rest, so the server is
    /// asked before.
    private func rebase(
        _ content: FileContent, onto end: Int64, _ cancellation: Cancellation
    ) throws(StoreError) {
        if let size = try serverSize(of: content, cancellation), size > end {
            throw StoreError(.inputOutput, "reading ended at byte \(end) of \(size)")
        }
        try content.rebase(onto: end)
    }

    /// - Returns: up to where there was something.
    private func fetch(
        _ range: Range<Int64>, of content: FileContent, _ cancellation: Cancellation
    ) throws(StoreError) -> Int64 {
        let known = try tree.withLock { tree throws(StoreError) in try tree.inode(content.inode).expected }
        let stream = try atPath(of: content.inode) { path throws(StoreError) in
            try store.openRead(path, from: range.lowerBound, expecting: known, cancellation: cancellation)
        }
        defer { stream.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Spool.bufferSize, alignment: 4096)
        defer { buffer.deallocate() }
        var position = range.lowerBound
        while position < range.upperBound {
            let room = Int(min(Int64(buffer.count), range.upperBound - position))
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<room])
            let count = try stream.read(into: part, cancellation: cancellation)
            if count == 0 { break }
            try content.fetched(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: position)
            position += Int64(count)
        }
        // At the end of the file the server's word is due, and the connection is free without a break.
        if position == known.size { _ = try stream.read(into: buffer, cancellation: cancellation) }
        return position
    }

    /// Fetches a file whose size the server does not say. Inside the gate.
    func fetchAll(_ content: FileContent, _ version: UInt64, _ cancellation: Cancellation) throws(StoreError) {
        let known = try tree.withLock { tree throws(StoreError) in try tree.inode(content.inode).expected }
        let file = try spool.make()
        let stream = try atPath(of: content.inode) { path throws(StoreError) in
            try store.openRead(path, from: 0, expecting: known, cancellation: cancellation)
        }
        defer { stream.close() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Spool.bufferSize, alignment: 4096)
        defer { buffer.deallocate() }
        var size: Int64 = 0
        while true {
            let count = try stream.read(into: buffer, cancellation: cancellation)
            if count == 0 { break }
            try spool.admit(count)
            try file.write(UnsafeRawBufferPointer(rebasing: buffer[..<count]), at: size)
            size += Int64(count)
            file.holds(size)
        }
        content.state.withLock { [size] state in
            state.begin(serverSize: size, version: version)
            state.useSpool(file)
            state.fetched(0..<size)
        }
    }

    /// How long a file is on the server now; `nil` when it does not say.
    func serverSize(of content: FileContent, _ cancellation: Cancellation) throws(StoreError) -> Int64? {
        try atPath(of: content.inode) { path throws(StoreError) in
            try store.size(of: path, cancellation: cancellation)
        }
    }
}
