import CFuseBridge
import FileSystem
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

// Names and what they stand for.

func onLookup(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ parent: UInt64, _ name: KernelName
) {
    serve(.lookup, context, request, caller, answer: { $0.lookup($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.lookup(FileName(sought: name), in: InodeNumber(parent), asked)
    }
}

func onForget(_ context: Context, _ inode: UInt64, _ count: UInt64) {
    Bridge.at(context).fileSystem.forget(InodeNumber(inode), count: count)
}

func onReadlink(_ context: Context, _ request: OpaquePointer, _ caller: Caller, _ inode: UInt64) {
    serve(.readlink, context, request, caller, answer: { $0.link($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.readLink(InodeNumber(inode), asked)
    }
}

/// A file made without being opened: made, closed, and so sent.
func onMknod(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ parent: UInt64, _ name: KernelName,
    _ mode: UInt32
) {
    serve(.mknod, context, request, caller, answer: { $0.entry($1) }) { fileSystem, asked throws(StoreError) in
        let created = try fileSystem.create(
            FileName(wanted: name), in: InodeNumber(parent), mode: mode, flags: [.write, .exclusive], asked)
        defer { fileSystem.release(created.open.handle) }
        do throws(StoreError) {
            try fileSystem.flush(created.open.handle, asked)
        } catch {
            fileSystem.forget(created.entry.attributes.inode, count: 1)
            throw error
        }
        return created.entry
    }
}

func onMkdir(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ parent: UInt64, _ name: KernelName,
    _ mode: UInt32
) {
    serve(.mkdir, context, request, caller, answer: { $0.entry($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.makeDirectory(FileName(wanted: name), in: InodeNumber(parent), mode: mode, asked)
    }
}

func onSymlink(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ target: KernelName, _ parent: UInt64,
    _ name: KernelName
) {
    serve(.symlink, context, request, caller, answer: { $0.entry($1) }) { fileSystem, asked throws(StoreError) in
        let target = Array(UnsafeRawBufferPointer(start: target, count: strlen(target)))
        return try fileSystem.makeSymbolicLink(
            FileName(wanted: name), in: InodeNumber(parent), target: target, asked)
    }
}

func onUnlink(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ parent: UInt64, _ name: KernelName
) {
    serve(.unlink, context, request, caller, answer: { $0.success($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.unlink(FileName(sought: name), in: InodeNumber(parent), asked)
    }
}

func onRmdir(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ parent: UInt64, _ name: KernelName
) {
    serve(.rmdir, context, request, caller, answer: { $0.success($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.removeDirectory(FileName(sought: name), in: InodeNumber(parent), asked)
    }
}

func onRename(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ parent: UInt64, _ name: KernelName,
    _ newParent: UInt64, _ newName: KernelName, _ flags: UInt32
) {
    serve(.rename, context, request, caller, answer: { $0.success($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.rename(
            FileName(sought: name), in: InodeNumber(parent), to: FileName(wanted: newName),
            in: InodeNumber(newParent), options: RenameOptions(kernel: flags), asked)
    }
}
