import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Where the control sockets of one user's mounts are: a directory that only this user can enter.
///
/// | | |
/// | --- | --- |
/// | root | `/run/ftpfs` |
/// | others | `$XDG_RUNTIME_DIR/ftpfs`, which is `/run/user/UID/ftpfs` |
/// | where these cannot be used | `/tmp/ftpfs-UID` |
///
/// A directory counts only if it is no symbolic link, belongs to the user and is closed to everybody else: in /tmp anybody
/// can make one of that name, and would get what is meant for the mount. The name of a socket is a hash of the mount
/// point, so that its length does not depend on that: the kernel takes 107 bytes (unix(7)).
struct ControlDirectory: Hashable {
    let path: FilePath

    /// What sun_path holds, less the NUL behind it.
    static let longestSocketPath = 107
    private static let suffix = ".sock"

    /// Where a user's directory may be, best first. Another user's environment is not known here, but where systemd puts
    /// its runtime directory is.
    static func candidates(of user: uid_t) -> [ControlDirectory] {
        var paths: [String] = []
        if user == 0 {
            paths.append("/run/ftpfs")
        } else {
            // The XDG Base Directory Specification: a relative path there is to be ignored.
            if user == geteuid(), let own = getenv("XDG_RUNTIME_DIR").map({ String(cString: $0) }), own.hasPrefix("/") {
                paths.append(own + "/ftpfs")
            }
            paths.append("/run/user/\(user)/ftpfs")
        }
        paths.append("/tmp/ftpfs-\(user)")
        var seen: Set<String> = []
        return paths.filter { seen.insert($0).inserted }.map { ControlDirectory(path: FilePath($0)) }
    }

    /// Why there is no directory to be used.
    struct Unusable: Error, CustomStringConvertible {
        let description: String
    }

    /// The first of the directories that can be used, made if it is missing.
    static func make() throws(Unusable) -> ControlDirectory {
        var reasons: [String] = []
        for directory in candidates(of: geteuid()) {
            do throws(Unusable) {
                try directory.prepare()
                return directory
            } catch {
                reasons.append(error.description)
            }
        }
        throw Unusable(description: reasons.joined(separator: "; "))
    }

    /// Makes the directory if it is missing, and checks it.
    func prepare() throws(Unusable) {
        guard socketPath("/").string.utf8.count <= Self.longestSocketPath else {
            throw Unusable(description: "\(path) is too long a name")
        }
        if mkdir(path.string, 0o700) != 0, errno != EEXIST {
            throw Unusable(description: "\(path) cannot be made: \(Errno(rawValue: errno))")
        }
        guard isSafe(for: geteuid()) else {
            throw Unusable(description: "\(path) is not a directory that only this user can enter")
        }
    }

    /// Whether it is a directory of the user's that nobody else can enter.
    func isSafe(for user: uid_t) -> Bool {
        var status = stat()
        guard lstat(path.string, &status) == 0 else { return false }
        return status.st_mode & S_IFMT == S_IFDIR && status.st_uid == user && status.st_mode & 0o077 == 0
    }

    /// The socket for a mount point: an absolute path as /proc/mounts has it.
    func socketPath(_ mountPoint: String) -> FilePath {
        path.appending(Self.hash(mountPoint) + Self.suffix)
    }

    /// All sockets in it.
    var sockets: [FilePath] {
        guard let directory = opendir(path.string) else { return [] }
        defer { closedir(directory) }
        var found: [FilePath] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(Self.suffix) { found.append(path.appending(name)) }
        }
        return found
    }

    /// Removes sockets behind which there is nobody. Call it ``locked(_:)``: one that is being made has nobody yet.
    func removeAbandoned() {
        for path in sockets {
            guard let probe = try? ControlSocket() else { return }
            defer { probe.close() }
            do throws(ControlSocket.Failure) {
                try probe.connect(to: path)
            } catch {
                if error == .abandoned { unlink(path.string) }
            }
        }
    }

    /// Runs `body` while no other process changes what is in the directory.
    func locked<Result>(_ body: () -> Result) -> Result {
        let lock = try? FileDescriptor.open(path, .readOnly, options: [.directory, .closeOnExec])
        defer { try? lock?.close() }
        // Who holds it makes two or three system calls; without a lock a name could be lost in a race, and nothing else.
        if let lock { _ = flock(lock.rawValue, LOCK_EX) }
        return body()
    }

    /// FNV-1a with 64 bits. Two mounts of one user would have to meet in it for one of them to be out of reach.
    private static func hash(_ text: String) -> String {
        let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
