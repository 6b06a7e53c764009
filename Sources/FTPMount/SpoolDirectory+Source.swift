import SystemPackage
package import Threading

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The spool directory of a mount with `writeback`: what waits in it outlives the mount, so it is the same whenever
/// that source is mounted, and nobody else uses it meanwhile.
///
/// It is below `spool_dir=`, else below `$XDG_STATE_HOME/ftpfs`, else `~/.local/state/ftpfs`, and `/var/lib/ftpfs` for root:
/// caches may be emptied by anybody. Its name is made of host, port, user and path of the source; a file in it has
/// them in full.
extension SpoolDirectory {
    /// The file that says whose directory it is.
    static let sourceFile = "source"
    /// The file system's list of what waits in it.
    private static let journalFile = "journal"
    /// How often the lock is looked at while another process has it.
    private static let step: UInt32 = 50_000

    /// Makes the directories that are missing, and takes the one of this source.
    ///
    /// When another process has it, it is waited for: it is probably a mount that has been ended and is sending what is
    /// left.
    ///
    /// - Parameters:
    ///   - chosen: what `spool_dir=` says.
    ///   - source: the source, without a password.
    ///   - deadline: until when another process is waited for.
    /// - Throws: ``MountFailure`` (``ExitCode/system``) when it cannot be made, or is in use.
    package init(chosen: String?, of source: String, until deadline: Deadline) throws(MountFailure) {
        let parent = try Self.stateDirectory(chosen: chosen)
        try Self.make(parent)
        let path = Self.directory(of: source, below: parent)
        while true {
            try Self.make(path)
            guard let lock = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .directory]) else {
                throw Self.failure(path, Errno(rawValue: errno))
            }
            var status = stat()
            let isOurs = flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0
            // Whoever had it may have removed it meanwhile.
            if isOurs, fstat(lock.rawValue, &status) == 0, status.st_nlink > 0 {
                try Self.claim(path, for: source)
                self.init(path, lock: lock, ownFiles: [Self.sourceFile])
                return
            }
            try? lock.close()
            if isOurs { continue }
            guard !deadline.hasPassed else {
                throw MountFailure(
                    .system,
                    "\(source) is mounted with writeback already, or files of its last mount are still being sent",
                    remedy: "wait, or unmount the other one")
            }
            usleep(Self.step)
        }
    }

    /// Where files of this source wait that a mount with `writeback` has left; `nil`: nowhere.
    static func waiting(chosen: String?, of source: String) -> FilePath? {
        guard let parent = try? stateDirectory(chosen: chosen) else { return nil }
        let path = directory(of: source, below: parent)
        // A mount that is there keeps its journal until its end.
        guard access(path.appending(journalFile).string, F_OK) == 0,
            let lock = try? FileDescriptor.open(path, .readOnly, options: [.closeOnExec, .directory])
        else { return nil }
        defer { try? lock.close() }
        return flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0 ? path : nil
    }

    private static func directory(of source: String, below parent: FilePath) -> FilePath {
        parent.appending("writeback-\(name(of: source))")
    }

    private static func stateDirectory(chosen: String?) throws(MountFailure) -> FilePath {
        if let chosen { return FilePath(MountPoint.absolute(chosen)) }
        if geteuid() == 0 { return "/var/lib/ftpfs" }
        // The XDG Base Directory Specification: a relative path there is to be ignored.
        if let state = getenv("XDG_STATE_HOME").map({ String(cString: $0) }), state.hasPrefix("/") {
            return FilePath(state).appending("ftpfs")
        }
        guard let home = Accounts.homeDirectory() else {
            throw MountFailure(.system, "no home directory for the spool", remedy: "give -o spool_dir=DIRECTORY")
        }
        return FilePath(home).appending(".local").appending("state").appending("ftpfs")
    }

    /// What a person recognises, and a hash of the whole: FNV-1a, which needs no key that would differ next time.
    private static func name(of source: String) -> String {
        let hash = source.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        let plain = source.utf8.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"):
                byte
            default: UInt8(ascii: "_")
            }
        }
        // Far from the longest name of any file system.
        let readable = String(decoding: plain.prefix(100), as: UTF8.self)
        return readable + "-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// Writes down whose directory it is, or compares.
    private static func claim(_ path: FilePath, for source: String) throws(MountFailure) {
        do {
            let file = try FileDescriptor.open(
                path.appending(sourceFile), .readWrite, options: [.create, .closeOnExec, .noFollow],
                permissions: .ownerReadWrite)
            try file.closeAfter {
                var known = [UInt8](repeating: 0, count: source.utf8.count + 2)
                let count = try known.withUnsafeMutableBytes { try file.read(fromAbsoluteOffset: 0, into: $0) }
                let line = Array("\(source)\n".utf8)
                if count == 0 { return _ = try file.writeAll(line) }
                if Array(known[..<count]) != line { throw Errno.fileExists }
            }
        } catch {
            throw failure(path, error as? Errno ?? .ioError)
        }
    }
}
