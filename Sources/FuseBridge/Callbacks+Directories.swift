import CFuseBridge
import FileSystem

// Open directories.

func onOpendir(_ context: Context, _ request: OpaquePointer, _ caller: Caller, _ inode: UInt64) {
    serve(.opendir, context, request, caller, answer: { $0.openedDirectory($1) }) {
        fileSystem, asked throws(StoreError) in
        try fileSystem.openDirectory(InodeNumber(inode), asked)
    }
}

func onReaddir(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ handle: UInt64, _ offset: UInt64,
    _ capacity: Int, _ plus: Bool
) {
    let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: capacity, alignment: MemoryLayout<UInt64>.alignment)
    defer { buffer.deallocate() }
    serve(.readdir, context, request, caller, answer: { $0.directory($1) }) { fileSystem, asked throws(StoreError) in
        var listing = DirectoryBuffer(buffer, for: request, withAttributes: plus)
        do throws(StoreError) {
            try fileSystem.readDirectory(HandleID(handle), from: offset, withAttributes: plus, asked) {
                listing.add($0)
            }
        } catch {
            // What was collected before the failure has been counted: the kernel gets it, comes again for the rest,
            // and gets the error then.
            guard !listing.bytes.isEmpty else { throw error }
        }
        return listing
    }
}

func onReleasedir(_ context: Context, _ handle: UInt64) {
    Bridge.at(context).fileSystem.releaseDirectory(HandleID(handle))
}

/// The entries for one readdir or readdirplus, in the kernel's format.
struct DirectoryBuffer {
    private let buffer: UnsafeMutableRawBufferPointer
    private let request: OpaquePointer
    private let withAttributes: Bool
    private var used = 0
    /// The inodes for which a lookup was counted.
    private(set) var counted: [InodeNumber] = []

    init(_ buffer: UnsafeMutableRawBufferPointer, for request: OpaquePointer, withAttributes: Bool) {
        self.buffer = buffer
        self.request = request
        self.withAttributes = withAttributes
    }

    /// What has been collected.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[..<used]) }

    /// Takes one item. - Returns: `false` when there is no room for it.
    mutating func add(_ item: DirectoryItem) -> Bool {
        let free = UnsafeMutableRawBufferPointer(rebasing: buffer[used...])
        guard let start = free.baseAddress else { return false }
        let inode = item.inode.rawValue
        let mode = item.kind.modeBits
        let size: Int
        if withAttributes {
            var entry = item.entry.map { cfuse_entry($0) }
            size = withOptionalPointer(to: &entry) { entry in
                cfuse_directory_add_plus(
                    request, start, free.count, item.name, item.name.count, inode, mode, entry, item.nextOffset)
            }
        } else {
            size = cfuse_directory_add(
                request, start, free.count, item.name, item.name.count, inode, mode, item.nextOffset)
        }
        guard size > 0 else { return false }
        used += size
        if withAttributes, let entry = item.entry { counted.append(entry.attributes.inode) }
        return true
    }
}

private func withOptionalPointer<Value, Result>(
    to value: inout Value?, _ body: (UnsafePointer<Value>?) -> Result
) -> Result {
    guard var present = value else { return body(nil) }
    return withUnsafePointer(to: &present) { body($0) }
}
