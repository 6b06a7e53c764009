import CFuseBridge
import FileSystem

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

// Extended attributes: reading one.

func onGetxattr(
    _ context: Context, _ request: OpaquePointer, _ caller: Caller, _ inode: UInt64, _ name: KernelName,
    _ capacity: Int
) {
    serve(.getxattr, context, request, caller, answer: { $0.extendedAttribute($1, atMost: capacity) }) {
        fileSystem, asked throws(StoreError) in
        let name = String(cString: name).dropFirst(CFUSE_ATTRIBUTE_PREFIX.utf8.count)
        return try fileSystem.extendedAttribute(String(name), of: InodeNumber(inode), asked)
    }
}

extension Reply {
    /// The value; `nil`: there is none. Asked for with no room at all, its size (getxattr(2)).
    consuming func extendedAttribute(_ value: [UInt8]?, atMost capacity: Int) {
        let request = taken()
        guard let value else { return _ = request.answer { cfuse_reply_error($0, ENODATA) } }
        if capacity == 0 {
            _ = request.answer { cfuse_reply_attribute_size($0, value.count) }
        } else if value.count > capacity {
            _ = request.answer { cfuse_reply_error($0, ERANGE) }
        } else {
            _ = request.answer { cfuse_reply_bytes($0, value, value.count) }
        }
    }
}
