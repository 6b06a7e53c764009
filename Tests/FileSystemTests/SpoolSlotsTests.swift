import SystemPackage
import Testing
import Threading
import Vocabulary

@testable import FileSystem

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Small contents lie in slots of one file.
@Suite struct SpoolSlotsTests {
    private let directory: FilePath

    init() {
        var template = Array("/tmp/ftpfs-slots-XXXXXX".utf8CString)
        _ = mkdtemp(&template)
        directory = FilePath(platformString: template)
    }

    private func inDirectory(_ body: (Spool) throws -> Void) throws {
        let spool = Spool(directory: directory)
        defer { removeAll(directory) }
        try body(spool)
        spool.close()
    }

    private func removeAll(_ folder: FilePath) {
        for name in names(folder) {
            let path = folder.appending(name)
            if Glibc.unlink(path.string) != 0 { removeAll(path) }
        }
        _ = Glibc.rmdir(folder.string)
    }

    private func names(_ folder: FilePath) -> [String] {
        guard let stream = opendir(folder.string) else { return [] }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            names.append(String(decoding: name, as: UTF8.self))
        }
        return names.filter { $0 != "." && $0 != ".." }.sorted()
    }

    private static func bytes(_ value: UInt8, _ count: Int) -> [UInt8] { [UInt8](repeating: value, count: count) }

    private func content(_ file: SpoolFile, _ count: Int) throws -> [UInt8] { try file.bytes(in: 0..<Int64(count)) }

    /// What a transfer would send.
    private func sent(_ file: SpoolFile) throws -> [UInt8] {
        try file.withDescriptor { descriptor in
            var bytes = Self.bytes(0, 1 << 17)
            let count = bytes.withUnsafeMutableBytes { pread(descriptor.rawValue, $0.baseAddress, $0.count, 0) }
            return Array(bytes[..<max(0, count)])
        }
    }

    @Test func `a hundred small files are one on the local disk`() throws {
        try inDirectory { spool in
            let files = try (0..<100).map { index in
                let file = try spool.make()
                try file.write(Self.bytes(UInt8(index), 1000 + index)[...], at: 0)
                return file
            }
            #expect(names(directory).count == 1)
            for (index, file) in files.enumerated() {
                #expect(try sent(file) == Self.bytes(UInt8(index), 1000 + index))
            }
        }
    }

    @Test func `the file goes with the mount, and at once if somebody still has a content in it`() throws {
        try inDirectory { spool in
            var file: SpoolFile? = try spool.make()
            try file?.write(Self.bytes(1, 10)[...], at: 0)
            spool.close()
            #expect(names(directory).count == 1)
            file = nil
            #expect(names(directory) == [])
        }
    }

    @Test(arguments: [SpoolSlots.room - 1, SpoolSlots.room, SpoolSlots.room + 1])
    func `a content that grows beyond a slot gets a file of its own`(_ size: Int64) throws {
        try inDirectory { spool in
            let file = try spool.make()
            try file.write(Self.bytes(1, 100)[...], at: 0)
            try file.write(Self.bytes(2, Int(size) - 100)[...], at: 100)
            #expect(names(directory).count == (size > SpoolSlots.room ? 2 : 1))
            #expect(try sent(file) == Self.bytes(1, 100) + Self.bytes(2, Int(size) - 100))
        }
    }

    @Test func `what nobody has written is zero, also where another content has been`() throws {
        try inDirectory { spool in
            var file: SpoolFile? = try spool.make()
            try file?.write(Self.bytes(0xFF, 30_000)[...], at: 0)
            file = nil
            let next = try spool.make()
            try next.write(Self.bytes(1, 10)[...], at: 20)
            #expect(try content(next, 40) == Self.bytes(0, 20) + Self.bytes(1, 10) + Self.bytes(0, 10))
            try next.truncate(to: 50)
            #expect(try sent(next) == Self.bytes(0, 20) + Self.bytes(1, 10) + Self.bytes(0, 20))
            try next.truncate(to: 25)
            try next.truncate(to: 40)
            #expect(try sent(next) == Self.bytes(0, 20) + Self.bytes(1, 5) + Self.bytes(0, 15))
            try next.truncate(to: 1 << 16)
            #expect(try sent(next) == Self.bytes(0, 20) + Self.bytes(1, 5) + Self.bytes(0, (1 << 16) - 25))
        }
    }

    @Test func `what is being sent does not change with the next use of the slot`() throws {
        try inDirectory { spool in
            var file: SpoolFile? = try spool.make()
            try file?.write(Self.bytes(1, 100)[...], at: 0)
            try file?.withDescriptor { descriptor throws(StoreError) in
                file = nil
                let next = try spool.make()
                try next.write(Self.bytes(2, 100)[...], at: 0)
                var byte: UInt8 = 0
                #expect(pread(descriptor.rawValue, &byte, 1, 99) == 1)
                #expect(byte == 1)
            }
        }
    }

    @Test func `a content that has to be durable gets a file of its own`() throws {
        try inDirectory { spool in
            let file = try spool.make()
            try file.write(Self.bytes(3, 100)[...], at: 0)
            try file.makeDurable()
            #expect(names(directory).contains(file.name))
            #expect(try sent(file) == Self.bytes(3, 100))
        }
    }

    // MARK: - After the death of a process

    @Test func `the next process finds what was in the slots`() throws {
        try inDirectory { spool in
            let files = try (1...3).map { index in
                let file = try spool.make()
                try file.write(Self.bytes(UInt8(index), 10 * index)[...], at: 0)
                return file
            }
            // A record of the journal has the second one.
            let next = Spool(directory: directory)
            let leftOver = next.leftOver()
            #expect(next.adopt(Array(files[1].name.utf8), holding: 0) == nil)
            for name in leftOver { #expect(next.putAside(name) != nil) }
            let found = try names(directory.appending("lost+found")).map { name in
                let path = directory.appending("lost+found").appending(name)
                let file = try FileDescriptor.open(path, .readOnly)
                var bytes = Self.bytes(0, 100)
                let count = try file.closeAfter { try bytes.withUnsafeMutableBytes { try file.read(into: $0) } }
                return Array(bytes[..<count])
            }
            #expect(found == [Self.bytes(1, 10), Self.bytes(3, 30)])
            #expect(names(directory) == ["lost+found"])
        }
    }

    @Test func `a record that is older than what is in the slot does not take that away`() throws {
        try inDirectory { spool in
            var file: SpoolFile? = try spool.make()
            try file?.write(Self.bytes(1, 10)[...], at: 0)
            let name = file?.name ?? ""
            file = nil
            let later = try spool.make()
            try later.write(Self.bytes(2, 10)[...], at: 0)
            _ = Spool(directory: directory).adopt(Array(name.utf8), holding: 0)
            #expect(try content(later, 10) == Self.bytes(2, 10))
            #expect(Spool(directory: directory).putAside(names(directory)[0]) != nil)
        }
    }

    @Test(arguments: [false, true])
    func `a directory in which nothing is left can go`(_ isUsed: Bool) throws {
        try inDirectory { spool in
            var file: SpoolFile? = try spool.make()
            try file?.write(Self.bytes(1, 10)[...], at: 0)
            if !isUsed { file = nil }
            Spool.removeEmpty(in: directory)
            #expect(names(directory).isEmpty == !isUsed)
        }
    }
}
