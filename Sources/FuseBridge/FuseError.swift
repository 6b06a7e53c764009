package import SystemPackage
import Vocabulary

/// Why a file system could not be mounted or served: one sentence with the cause, and the remedy where there is one.
package enum FuseError: Error, Hashable, Sendable {
    /// There is no such directory.
    case mountPointMissing(FilePath)
    /// It is a file, or something else.
    case mountPointNotDirectory(FilePath)
    /// It holds files, which would be hidden.
    case mountPointNotEmpty(FilePath)
    /// A mount whose program is gone is still there.
    case mountPointStale(FilePath)
    /// The user who mounts may not write to it, which fusermount3 asks for.
    case mountPointNotWritable(FilePath)
    /// It cannot be looked at, or the kernel says that it is in use.
    case mountPointUnusable(FilePath, Errno)
    /// The kernel has no FUSE, or the container hides the device.
    case deviceMissing
    /// The device is there but this user may not open it.
    case deviceNotPermitted
    /// An ordinary user mounts through this program, and it is not installed.
    case fusermountMissing
    /// /etc/fuse.conf does not allow `allow_other` and `allow_root` to ordinary users.
    case allowOtherNotPermitted
    /// The user has as many mounts as /etc/fuse.conf allows.
    case tooManyMounts
    /// libfuse and the kernel do not know an option.
    case unknownOption(String)
    /// Mounting is not permitted, for a reason given in libfuse's words.
    case notPermitted(String)
    /// Something else, in libfuse's words.
    case mountFailed(String)
    /// No session could be made, in libfuse's words.
    case sessionFailed(String)
    /// Serving ended because the device could not be read, or no thread could be started.
    case servingFailed(Errno)
}

extension FuseError {
    /// What libfuse and fusermount3 say, and what it means. The first phrase that is found counts.
    private static let phrases: [(phrase: String, meaning: @Sendable (FilePath, String) -> FuseError)] = [
        ("user_allow_other", { _, _ in .allowOtherNotPermitted }),
        ("device not found", { _, _ in .deviceMissing }),
        ("/dev/fuse: No such", { _, _ in .deviceMissing }),
        ("/dev/fuse: Permission denied", { _, _ in .deviceNotPermitted }),
        ("/dev/fuse: Operation not permitted", { _, _ in .deviceNotPermitted }),
        ("exec fusermount3", { _, _ in .fusermountMissing }),
        ("mount_max", { _, _ in .tooManyMounts }),
        ("no write access to mountpoint", { path, _ in .mountPointNotWritable(path) }),
        ("is not empty", { path, _ in .mountPointNotEmpty(path) }),
        ("resource busy", { path, _ in .mountPointUnusable(path, .resourceBusy) }),
        ("unknown option", { _, line in .unknownOption(quoted(in: line)) }),
        ("invalid option", { _, line in .unknownOption(quoted(in: line)) }),
        ("Operation not permitted", { _, line in .notPermitted(line) }),
        ("Permission denied", { _, line in .notPermitted(line) }),
    ]

    /// Finds the cause in what libfuse and fusermount3 said while mounting on a path.
    static func mounting(on path: FilePath, complaint: String) -> FuseError {
        for (phrase, meaning) in phrases {
            if let line = lines(complaint).first(where: { $0.contains(phrase) }) {
                return meaning(path, withoutOrigin(line))
            }
        }
        return .mountFailed(lines(complaint).map(withoutOrigin).joined(separator: "; "))
    }

    /// Finds the cause in what libfuse said while making a session.
    static func makingSession(complaint: String) -> FuseError {
        let said = lines(complaint).map(withoutOrigin).joined(separator: "; ")
        return said.contains("unknown option") ? .unknownOption(quoted(in: said)) : .sessionFailed(said)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map(String.init)
    }

    /// The line without `fuse: ` or `fusermount3: ` in front.
    private static func withoutOrigin(_ line: String) -> String {
        for origin in ["fuse: ", "fusermount3: "] where line.hasPrefix(origin) {
            return String(line.dropFirst(origin.count))
        }
        return line
    }

    /// What stands between the first quotation mark (' or `) and the last: libfuse writes "`-o foo'".
    private static func quoted(in line: String) -> String {
        let marks: Set<Character> = ["'", "`"]
        guard let first = line.firstIndex(where: marks.contains), let last = line.lastIndex(where: marks.contains),
            first < last
        else { return line }
        let option = line[line.index(after: first)..<last]
        return String((option.hasPrefix("-o") ? option.dropFirst(2) : option).drop { $0 == " " })
    }
}

extension FuseError: CustomStringConvertible {
    /// The sentence for the person who mounts.
    package var description: String {
        switch self {
        case .mountPointMissing(let path):
            "\(shown(path)): the mount point does not exist; make it with mkdir"
        case .mountPointNotDirectory(let path):
            "\(shown(path)): the mount point is not a directory; choose one, or make it with mkdir"
        case .mountPointNotEmpty(let path):
            "\(shown(path)): the mount point is not empty; choose an empty directory, or use the option nonempty"
        case .mountPointStale(let path):
            "\(shown(path)): an earlier mount is still there but its program is gone; run fusermount3 -u \(shown(path))"
        case .mountPointNotWritable(let path):
            "\(shown(path)): only a directory that you may write to can be mounted on; choose one of your own"
        case .mountPointUnusable(let path, let error):
            "\(shown(path)): the mount point cannot be used: \(error); see whether it is in use (fuser -vm) or permitted"
        case .deviceMissing:
            "/dev/fuse does not exist; load the kernel module (modprobe fuse), or give the container that device"
        case .deviceNotPermitted:
            "/dev/fuse may not be opened; as root run chmod 666 /dev/fuse (udev's usual mode), or give the container access"
        case .fusermountMissing:
            "fusermount3 is not installed, through which ordinary users mount; install the package fuse3, or mount as root"
        case .allowOtherNotPermitted:
            "allow_other and allow_root are not permitted; add the line user_allow_other to /etc/fuse.conf"
        case .tooManyMounts:
            "this user has too many FUSE mounts; unmount one, or raise mount_max in /etc/fuse.conf"
        case .unknownOption(let option):
            "unknown mount option \(option); see the list of options"
        case .notPermitted(let detail):
            "mounting is not permitted (\(detail)); mount as root, or see that fusermount3 is set-user-ID root"
        case .mountFailed(let detail):
            "mounting failed: \(detail.isEmpty ? "libfuse gives no reason" : detail)"
        case .sessionFailed(let detail):
            "no FUSE session could be made: \(detail.isEmpty ? "out of memory" : detail)"
        case .servingFailed(let error):
            "serving the mount failed: \(error)"
        }
    }
}

private func shown(_ path: FilePath) -> String {
    path.withCString {
        printable(Array(UnsafeBufferPointer(start: $0, count: path.length)).map(UInt8.init(bitPattern:)))
    }
}
