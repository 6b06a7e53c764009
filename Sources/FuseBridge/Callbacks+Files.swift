import CFuseBridge
import FileSystem
import Vocabulary

// Open files.

func onOpen(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ inode: UInt64, _ flags: Int32
) {
    serve(.open, context, request, caller, answer: { $0.opened($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.open(InodeNumber(inode), flags: OpenFlags(kernel: flags), asked)
    }
}

func onCreate(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ parent: UInt64, _ name: KernelName,
    _ mode: UInt32, _ flags: Int32
) {
    serve(.create, context, request, caller, answer: { $0.created($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.create(
            FileName(wanted: name), in: InodeNumber(parent), mode: mode, flags: OpenFlags(kernel: flags), asked)
    }
}

/// The one that is answered later, by whichever thread has the bytes.
func onRead(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ handle: UInt64, _ offset: Int64, _ length: Int
) {
    let bridge = Bridge.at(context)
    let reply = bridge.reply(to: request, .read, caller)
    let asked = reply.asked(by: caller.pointee)
    let box = TakeOnce(reply)
    bridge.fileSystem.read(HandleID(handle), offset: offset, length: length, asked) { answer in
        box.take()?.read(answer, atMost: length)
    }
}

func onWrite(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ handle: UInt64, _ offset: Int64,
    _ bytes: UnsafeRawPointer, _ length: Int, _ isPage: Bool
) {
    serve(.write, context, request, caller, answer: { $0.written($1) }) { fileSystem, asked throws(StoreError) in
        let bytes = UnsafeRawBufferPointer(start: bytes, count: length)
        try fileSystem.write(HandleID(handle), offset: offset, bytes: bytes, isPage: isPage, asked)
        return length
    }
}

func onFlush(_ context: Context, _ request: OpaquePointer, _ caller: Caller, _ handle: UInt64) {
    serve(.flush, context, request, caller, answer: { $0.success($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.flush(HandleID(handle), asked)
    }
}

func onFsync(_ context: Context, _ request: OpaquePointer, _ caller: Caller, _ handle: UInt64) {
    serve(.fsync, context, request, caller, answer: { $0.success($1) }) { fileSystem, asked throws(StoreError) in
        try fileSystem.fsync(HandleID(handle), asked)
    }
}

func onRelease(_ context: Context, _ handle: UInt64) {
    Bridge.at(context).fileSystem.release(HandleID(handle))
}
