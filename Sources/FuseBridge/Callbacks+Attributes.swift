import CFuseBridge
import FileSystem

// What stat, chmod, truncate, touch, df and access see and change.

func onGetattr(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ inode: UInt64, _ handle: KernelHandle?
) {
    serve(.getattr, context, request, caller, answer: { $0.attributes($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.attributes(of: InodeNumber(inode), handle: handle.map { HandleID($0.pointee) }, asked)
    }
}

func onSetattr(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ inode: UInt64,
    _ change: UnsafePointer<cfuse_change>, _ handle: KernelHandle?
) {
    serve(.setattr, context, request, caller, answer: { $0.attributes($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.setAttributes(
            of: InodeNumber(inode), to: AttributeChange(change.pointee),
            handle: handle.map { HandleID($0.pointee) }, asked)
    }
}

func onStatfs(_ context: Context, _ space: UnsafeMutablePointer<cfuse_space>) {
    space.pointee = cfuse_space(Bridge.at(context).fileSystem.space())
}

func onAccess(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ inode: UInt64, _ mask: UInt32
) {
    serve(.access, context, request, caller, answer: { $0.success($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.access(InodeNumber(inode), mask: mask, asked)
    }
}
