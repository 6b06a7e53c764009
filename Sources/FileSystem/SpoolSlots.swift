import SystemPackage
import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// One file of the spool directory in which many small contents lie, each in a *slot*.
///
/// A small file written to the mount lives for a moment: it is written, sent, and forgotten. A file on the local disk for each
/// costs more than all the rest. ext4 without a journal looks, for each file that is made, at all those that were removed
/// within the last minutes, since it must not use their places yet: after some thousands of them, making one takes 0.2 to
/// 0.8 ms. In a slot, the same content costs two writes.
///
/// ## What is in the file
/// Slots of ``stride`` bytes. Each begins with two numbers of eight bytes in the machine's order, the *serial* that tells two
/// uses of a slot apart and the *length* of the content; then follows the content. A length of 0 says that nothing is
/// there. So what a killed process was writing is on the disk as it is with a file for each, and the next mount finds it
/// (``contents(of:)``).
///
/// ## Rules
/// A content that grows beyond ``room``, or that has to have a name or to be durable, moves to a file of its own; the
/// ``SpoolFile`` does that. Nothing is ever sent from this file itself: what a socket has taken by sendfile(2) are its pages,
/// and the next user of a slot would write into them.
///
/// Lock order: inside a ``SpoolFile``'s. The local disk is waited for in it.
final class SpoolSlots: Sendable {
    /// How large a content may be. Beyond it, the bytes themselves take longer than making a file does; and a record of the
    /// journal takes no more (`WriteBack.inlineLimit`).
    static let room: Int64 = 32 << 10
    private static let headerLength: Int64 = 16
    /// A page more than a content, which the header needs.
    private static let stride: Int64 = room + 4096
    /// 144 MiB of address space at the most, and as much of the disk as has been written. Beyond it each has its own file.
    private static let maximumCount = 4096

    /// Where a content is.
    struct Slot: Hashable, Sendable {
        let index: Int
        let serial: UInt64
        var length: Int64 = 0

        fileprivate var start: Int64 { Int64(index) * SpoolSlots.stride }
        fileprivate var content: Int64 { start + SpoolSlots.headerLength }
    }

    fileprivate struct State {
        var file: FileDescriptor?
        var free: [Int] = []
        /// How many slots there have been at a time.
        var count = 0
        var used = 0
        var lastSerial: UInt64 = 0
        var isKept = false
        var isClosed = false
    }

    /// Where it is, once there is one.
    let path: FilePath
    private let state = Monitor(State())

    /// - Parameter path: of no file. It is made with the first slot.
    init(path: FilePath) {
        self.path = path
    }

    deinit { close() }

    // MARK: - Slots

    /// An empty slot; `nil` when there is none, or the file cannot be made.
    func take() -> Slot? {
        state.withLock { state in
            guard !state.isClosed, state.used < Self.maximumCount else { return nil }
            if state.file == nil {
                state.file = try? FileDescriptor.open(
                    path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                    permissions: .ownerReadWrite)
            }
            guard state.file != nil else { return nil }
            state.used += 1
            state.lastSerial += 1
            if let index = state.free.popLast() { return Slot(index: index, serial: state.lastSerial) }
            state.count += 1
            return Slot(index: state.count - 1, serial: state.lastSerial)
        }
    }

    /// What is in a slot is of no use any more.
    func giveBack(_ slot: Slot) {
        state.withLock { state in
            if let file = state.file, slot.length > 0 {
                // What cannot be written here is found by the next mount, and only takes room.
                try? Self.writeHeader(of: Slot(index: slot.index, serial: slot.serial), to: file)
            }
            state.used -= 1
            state.free.append(slot.index)
            state.closeIfUnused(path)
        }
    }

    /// Notes for the next process whether somebody needs what is in a slot.
    ///
    /// - Returns: whether that is written.
    func mark(_ slot: Slot, sent: Bool) -> Bool {
        guard let file = state.withLock({ $0.file }) else { return false }
        let noted = sent ? Slot(index: slot.index, serial: slot.serial) : slot
        return (try? Self.writeHeader(of: noted, to: file)) != nil
    }

    /// The file is to outlive this program, with what is in its slots.
    func keep() {
        state.withLock { $0.isKept = true }
    }

    /// No more slots are taken. The file goes with the last one.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.closeIfUnused(path)
        }
    }

    /// A name for what is in a slot, unlike that of any other content.
    func name(of slot: Slot) -> String { "\(path.lastComponent?.string ?? "")#\(slot.index)#\(slot.serial)" }

    // MARK: - Contents

    /// Writes bytes that fit; what lies between them and the end becomes zeros.
    func write(_ bytes: UnsafeRawBufferPointer, at offset: Int64, in slot: inout Slot) throws {
        let file = try file()
        try fillUp(&slot, to: offset, file)
        try file.writeAll(toAbsoluteOffset: slot.content + offset, bytes)
        try note(max(slot.length, offset + Int64(bytes.count)), &slot, file)
    }

    /// Reads what there is.
    ///
    /// - Returns: how many bytes.
    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64, of slot: Slot) throws -> Int {
        let wanted = min(Int64(buffer.count), slot.length - offset)
        guard wanted > 0 else { return 0 }
        let file = try file()
        var done = 0
        while done < Int(wanted) {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done..<Int(wanted)])
            let count = try file.read(fromAbsoluteOffset: slot.content + offset + Int64(done), into: rest)
            if count == 0 { break }
            done += count
        }
        return done
    }

    /// Cuts a content, or adds zeros to it.
    func truncate(_ slot: inout Slot, to size: Int64) throws {
        let file = try file()
        try fillUp(&slot, to: size, file)
        try note(size, &slot, file)
    }

    private func file() throws -> FileDescriptor {
        guard let file = state.withLock({ $0.file }) else { throw Errno.badFileDescriptor }
        return file
    }

    /// A slot has been used before: what is behind the end are somebody else's bytes.
    private func fillUp(_ slot: inout Slot, to offset: Int64, _ file: FileDescriptor) throws {
        guard offset > slot.length else { return }
        let zeros = [UInt8](repeating: 0, count: Int(offset - slot.length))
        try file.writeAll(toAbsoluteOffset: slot.content + slot.length, zeros)
    }

    private func note(_ length: Int64, _ slot: inout Slot, _ file: FileDescriptor) throws {
        guard length != slot.length else { return }
        slot.length = length
        try Self.writeHeader(of: slot, to: file)
    }

    private static func writeHeader(of slot: Slot, to file: FileDescriptor) throws {
        try withUnsafeBytes(of: (slot.serial, slot.length)) { header in
            _ = try file.writeAll(toAbsoluteOffset: slot.start, header)
        }
    }
}

// MARK: - What another process has left

extension SpoolSlots {
    /// The contents in the file of a process that has ended.
    static func contents(of file: FileDescriptor) throws -> [(slot: Slot, bytes: [UInt8])] {
        let end = try file.seek(offset: 0, from: .end)
        var found: [(Slot, [UInt8])] = []
        for index in 0..<maximumCount where Int64(index) * stride < end {
            guard let slot = try slot(index, of: file), slot.length > 0 else { continue }
            var bytes = [UInt8](repeating: 0, count: Int(slot.length))
            let count = try bytes.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: slot.content, into: $0) }
            found.append((slot, Array(bytes[..<count])))
        }
        return found
    }

    /// Forgets a content that a record of the journal has, under the name that ``name(of:)`` gave it.
    static func forget(_ name: [UInt8], in directory: FilePath) {
        let parts = name.split(separator: UInt8(ascii: "#")).map { String(decoding: $0, as: UTF8.self) }
        guard parts.count == 3, let index = Int(parts[1]), let serial = UInt64(parts[2]),
            (0..<maximumCount).contains(index),
            let file = try? FileDescriptor.open(
                directory.appending(parts[0]), .readWrite, options: [.closeOnExec, .noFollow])
        else { return }
        defer { try? file.close() }
        guard let slot = try? slot(index, of: file), slot.serial == serial else { return }
        try? writeHeader(of: Slot(index: index, serial: serial), to: file)
    }

    private static func slot(_ index: Int, of file: FileDescriptor) throws -> Slot? {
        var header: (serial: UInt64, length: Int64) = (0, 0)
        let start = Int64(index) * stride
        let count = try withUnsafeMutableBytes(of: &header) { try file.read(fromAbsoluteOffset: start, into: $0) }
        guard count == headerLength, (0...room).contains(header.length) else { return nil }
        return Slot(index: index, serial: header.serial, length: header.length)
    }
}

extension SpoolSlots.State {
    /// At the end of the mount.
    fileprivate mutating func closeIfUnused(_ path: FilePath) {
        guard isClosed, used == 0, let open = file else { return }
        file = nil
        if !isKept { _ = path.withPlatformString { Glibc.unlink($0) } }
        try? open.close()
    }
}
