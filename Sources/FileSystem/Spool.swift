import Synchronization
package import SystemPackage
import Threading
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The local directory where what was written waits until the server has it.
///
/// A file in it is named `open-…` while it is in use; small contents lie together in one, ``SpoolSlots``. What could not be sent by the time its last handle was closed
/// becomes `unsent-…-<path>`, with a text beside it that says where it belongs and why it is here; nothing removes it. With
/// `writeback` these are in a directory of their own, ``lostAndFound``.
///
/// It is bounded twice: by a number of bytes for all files (`spool_size=`), and by what the local disk has to keep
/// free. Whoever writes gets ENOSPC before the disk is full: other programs need it too, and a full disk would take away
/// the means to say in a log what is unsent.
package final class Spool: Sendable {
    /// For copying: large enough that the calls do not count, small beside the cache.
    static let bufferSize = 256 << 10

    /// What is left free on the local disk: a twentieth of it, as file systems reserve for root, …
    private static let reservedPart: UInt64 = 20
    /// … but no more than that; a large disk is not full with so much left.
    private static let largestReserve: UInt64 = 1 << 30
    /// How much is taken in before the disk is asked again. statvfs(3) takes microseconds, a write of 128 KiB fifty.
    private static let step: Int64 = 16 << 20

    /// Where files are put that the server does not take, in a spool directory that outlives the mount.
    static let lostAndFound = "lost+found"
    private static let prefix = "open-"
    /// What the name of the file with the small contents begins with.
    static let slotsPrefix = "open-slots-"
    private static let uncloseds = "unclosed-"
    private static let unsent = "unsent-"
    /// The mode of a file in use; and of one of which the server has everything. The bit means nothing else for such a file.
    static let mode: mode_t = 0o600
    static let sentMode: mode_t = 0o700

    let directory: FilePath
    private let limit: Int64
    private let hasLostAndFound: Bool
    private let bytes = Atomic<Int64>(0)
    private let sinceLook = Atomic<Int64>(Spool.step)
    private let slots: SpoolSlots

    /// - Parameter limit: how many bytes all files together may hold.
    /// - Parameter hasLostAndFound: whether what could not be sent goes to ``lostAndFound``.
    init(directory: FilePath, limit: Int64 = .max, hasLostAndFound: Bool = false) {
        self.directory = directory
        self.limit = limit
        self.hasLostAndFound = hasLostAndFound
        slots = SpoolSlots(path: directory.appending(Self.slotsPrefix + Self.randomHex()))
    }

    /// Makes sure that so many bytes more may be written.
    ///
    /// - Throws: `noSpace`.
    func admit(_ count: Int) throws(StoreError) {
        let (sum, overflow) = byteCount.addingReportingOverflow(Int64(count))
        guard !overflow, sum <= limit else {
            throw StoreError(.noSpace, "the spool holds \(byteCount) bytes, and no more than \(limit) are allowed")
        }
        guard sinceLook.wrappingAdd(Int64(count), ordering: .relaxed).newValue >= Self.step else { return }
        var disk = statvfs()
        // What cannot be asked is no reason to refuse: a write to a full disk fails by itself.
        guard statvfs(directory.string, &disk) == 0 else { return }
        let block = UInt64(disk.f_frsize)
        let reserve = min(Self.largestReserve, UInt64(disk.f_blocks).multipliedFully(by: block) / Self.reservedPart)
        guard UInt64(disk.f_bavail).multipliedFully(by: block) >= reserve.addingFully(UInt64(count)) else {
            throw StoreError(.noSpace, "the disk of \(directory) is nearly full")
        }
        sinceLook.store(0, ordering: .relaxed)
    }

    /// How many bytes the files in use reach over.
    var byteCount: Int64 { bytes.load(ordering: .relaxed) }

    /// A new empty file, readable by this user alone.
    func make() throws(StoreError) -> SpoolFile {
        if let slot = slots.take() { return SpoolFile(slot, of: slots, spool: self) }
        let (descriptor, path) = try makeFile()
        return SpoolFile(descriptor: descriptor, path: path, spool: self)
    }

    /// A file for one content alone.
    ///
    /// Somebody who tidies up may have removed the directory. It is made again: those above it have been found safe when the
    /// mount began, and are left alone if they are gone too.
    func makeFile() throws(StoreError) -> (FileDescriptor, FilePath) {
        let path = directory.appending("\(Self.prefix)\(Self.randomHex())")
        do {
            return (try Self.create(path), path)
        } catch {
            guard error == .noSuchFileOrDirectory, mkdir(directory.string, 0o700) == 0,
                let descriptor = try? Self.create(path)
            else { throw StoreError(localDisk: error, "create \(path)") }
            return (descriptor, path)
        }
    }

    private static func create(_ path: FilePath) throws(Errno) -> FileDescriptor {
        do {
            return try FileDescriptor.open(
                path, .readWrite, options: [.create, .exclusiveCreate, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// The mount has ended: what is not used any more goes.
    func close() { slots.close() }

    /// Keeps a file that could not be sent.
    ///
    /// - Returns: where it is.
    func keep(_ file: SpoolFile, of remote: RemotePath, _ content: String, because reason: StoreError) -> FilePath {
        let name = unsentName(of: remote)
        let path = file.keep(as: name)
        let note = """
            path: \(remote)
            content: \(content)
            reason: \(reason)

            """
        do {
            let descriptor = try FileDescriptor.open(
                directory.appending("\(name).txt"), .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            try descriptor.closeAfter { _ = try descriptor.writeAll(note.utf8) }
        } catch {
            // The data is safe and the log names it; the note only helps.
        }
        return path
    }

    /// Where a file goes that could not be sent.
    private func unsentName(of remote: RemotePath) -> String {
        let name = "\(Self.unsent)\(Self.randomHex())-\(Self.fileName(of: remote))"
        guard hasLostAndFound else { return name }
        mkdir(directory.appending(Self.lostAndFound).string, 0o700)
        return "\(Self.lostAndFound)/\(name)"
    }

    // MARK: - What another process has left

    /// A file that a record of the journal names. Like every file of the spool it goes when nobody refers to it any more.
    ///
    /// - Returns: the file and its length; `nil` when there is none.
    func adopt(_ name: [UInt8], holding count: Int64) -> (file: SpoolFile, length: Int64)? {
        guard name.starts(with: Self.prefix.utf8), !name.contains(0x2F) else { return nil }
        if name.starts(with: Self.slotsPrefix.utf8) {
            SpoolSlots.forget(name, in: directory)
            return nil
        }
        let path = directory.appending(String(decoding: name, as: UTF8.self))
        var status = stat()
        guard lstat(path.string, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return (SpoolFile(adopting: path, held: count, spool: self), Int64(status.st_size))
    }

    /// The names of files that were in use when another process ended.
    func leftOver() -> [String] { Self.leftOver(in: directory) }

    private static func leftOver(in directory: FilePath) -> [String] {
        guard let stream = opendir(directory.string) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if name.starts(with: prefix.utf8) { names.append(String(decoding: name, as: UTF8.self)) }
        }
        return names.sorted()
    }

    /// Puts such a file aside of which nobody knows where it belongs: a program had it open, and had not closed it. One that
    /// is empty is removed, and so is one of which the server has everything.
    ///
    /// - Returns: where it is now.
    func putAside(_ name: String) -> FilePath? {
        let path = directory.appending(name)
        if name.hasPrefix(Self.slotsPrefix) {
            // What cannot be taken out of it stays where it is.
            do { return try putSlotsAside(name, at: path) } catch { return path }
        }
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return nil }
        guard status.st_size > 0, status.st_mode & 0o777 != Self.sentMode else {
            unlink(path.string)
            return nil
        }
        mkdir(directory.appending(Self.lostAndFound).string, 0o700)
        let target = directory.appending(Self.lostAndFound).appending("\(Self.uncloseds)\(name)")
        return rename(path.string, target.string) == 0 ? target : path
    }

    /// The same for small contents: each becomes a file of its own.
    ///
    /// - Returns: where the last of them is now, if there was any.
    private func putSlotsAside(_ name: String, at path: FilePath) throws -> FilePath? {
        let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow])
        let contents = try file.closeAfter { try SpoolSlots.contents(of: file) }
        let folder = directory.appending(Self.lostAndFound)
        if !contents.isEmpty { mkdir(folder.string, 0o700) }
        var place: FilePath?
        for (slot, bytes) in contents {
            let target = folder.appending("\(Self.uncloseds)\(name)-\(slot.index)")
            let copy = try FileDescriptor.open(
                target, .writeOnly, options: [.create, .truncate, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            _ = try copy.closeAfter { try copy.writeAll(bytes) }
            place = target
        }
        unlink(path.string)
        return place
    }

    /// Removes the file for small contents of a process that has ended from a directory, if nothing is in it.
    package static func removeEmpty(in directory: FilePath) {
        for name in leftOver(in: directory) where name.hasPrefix(slotsPrefix) {
            let path = directory.appending(name)
            guard let file = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .noFollow]) else {
                continue
            }
            let isEmpty = try? file.closeAfter { try SpoolSlots.contents(of: file).isEmpty }
            if isEmpty == true { unlink(path.string) }
        }
    }

    /// What is kept here of files that could not be sent, or that no program had closed when a process was killed.
    var kept: KeptFiles {
        var kept = KeptFiles(directory: directory.appending(Self.lostAndFound))
        for place in [directory, kept.directory] {
            guard let stream = opendir(place.string) else { continue }
            defer { closedir(stream) }
            while let entry = readdir(stream) {
                let bytes = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
                let isUnclosed = bytes.starts(with: Self.uncloseds.utf8)
                guard isUnclosed || bytes.starts(with: Self.unsent.utf8), !bytes.suffix(4).elementsEqual(".txt".utf8)
                else { continue }
                if isUnclosed { kept.unclosed += 1 } else { kept.unsent += 1 }
                var status = stat()
                guard lstat(place.appending(String(decoding: bytes, as: UTF8.self)).string, &status) == 0 else {
                    continue
                }
                let (sum, overflow) = kept.byteCount.addingReportingOverflow(Int64(status.st_size))
                kept.byteCount = overflow ? .max : sum
            }
        }
        return kept
    }

    /// Keeps the gauge.
    func count(_ change: Int64) {
        bytes.wrappingAdd(change, ordering: .relaxed)
    }

    /// 16 hexadecimal digits that nobody else has.
    static func randomHex() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// A remote path as one local file name: what is not plain becomes `%XX`; of a long one, the end.
    private static func fileName(of path: RemotePath) -> String {
        let encoded = path.joined.map { byte -> String in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"):
                return String(UnicodeScalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                return digits.count == 1 ? "%0\(digits)" : "%\(digits)"
            }
        }
        // With the prefix and ".txt" this stays below the 255 bytes of a name.
        return String(encoded.joined().suffix(200))
    }
}

/// What a spool directory keeps of files whose content the server may not have.
package struct KeptFiles: Hashable, Sendable {
    /// Where, with a text beside each that says where it belongs.
    package let directory: FilePath
    /// How many were closed, and refused by the server, or not sent before the mount ended.
    package var unsent = 0
    /// How many were being written when a process was killed: no close of theirs had returned.
    package var unclosed = 0
    /// How many bytes they have.
    package var byteCount: Int64 = 0
}

extension UInt64 {
    /// The product, or the largest number.
    fileprivate func multipliedFully(by other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }

    /// The sum, or the largest number.
    fileprivate func addingFully(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
