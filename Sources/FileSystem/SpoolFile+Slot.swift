import CLinux
import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A content that is small, in a slot of ``SpoolSlots``.
extension SpoolFile {
    /// A content in a slot gets a file of its own.
    func moveOut(_ location: inout Location) throws(StoreError) {
        guard let slot = location.slot, let slots else { return }
        let (descriptor, path) = try spool.makeFile()
        do {
            let bytes = try Self.bytes(of: slot, in: slots)
            try descriptor.writeAll(toAbsoluteOffset: 0, bytes)
        } catch {
            try? descriptor.close()
            _ = path.withPlatformString { Glibc.unlink($0) }
            throw StoreError(localDisk: error, "write to \(path)")
        }
        location.slot = nil
        location.isSent = false
        location.descriptor = descriptor
        location.path = path
        slots.giveBack(slot)
    }

    /// What is in the slot, as a file in memory; `nil` when it is in no slot. The caller closes it.
    func copyOfSlot() throws(StoreError) -> FileDescriptor? {
        let bytes = try inSlot { slot, slots in try Self.bytes(of: slot, in: slots) }
        guard let bytes else { return nil }
        let copy = FileDescriptor(rawValue: clinux_memfd("ftpfs"))
        do {
            guard copy.rawValue >= 0 else { throw Errno(rawValue: errno) }
            try copy.writeAll(bytes)
        } catch {
            if copy.rawValue >= 0 { try? copy.close() }
            throw StoreError(localDisk: error, "copy a small file")
        }
        return copy
    }

    private static func bytes(of slot: SpoolSlots.Slot, in slots: SpoolSlots) throws -> [UInt8] {
        // An array without room is one that all share, and its count would be written by all.
        if slot.length == 0 { return [] }
        return try [UInt8](unsafeUninitializedCapacity: Int(slot.length)) { buffer, count in
            count = try slots.read(into: UnsafeMutableRawBufferPointer(buffer), at: 0, of: slot)
        }
    }

    /// Runs `body` with the slot, if the content is in one.
    ///
    /// - Parameter end: up to where it will reach. If that is more than a slot holds, it moves to a file.
    func inSlot<Result>(
        upTo end: Int64 = 0, _ body: (inout SpoolSlots.Slot, SpoolSlots) throws -> sending Result
    ) throws(StoreError) -> Result? {
        try location.withLock { location throws(StoreError) -> Result? in
            guard var slot = location.slot, let slots else { return nil }
            guard end <= SpoolSlots.room else {
                try moveOut(&location)
                return nil
            }
            do {
                let result = try body(&slot, slots)
                location.slot = slot
                return result
            } catch {
                throw StoreError(localDisk: error, "\(slots.path)")
            }
        }
    }
}
