import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Who uses a mount: the processes that have a file, their directory or their root in it. Reads links in /proc only
/// (proc_pid_fd(5)) and never touches the mount; processes that this user may not look at are not found.
enum MountUsers {
    /// How many are named; more do not help to find them.
    private static let mostNames = 3

    /// Each as `bash (1234)`.
    static func of(_ mountPoint: String) -> [String] {
        var users: [String] = []
        for process in names(in: "/proc") where pid_t(process) != nil && pid_t(process) != getpid() {
            let base = "/proc/\(process)"
            let links =
                ["cwd", "root", "exe"].map { "\(base)/\($0)" } + names(in: "\(base)/fd").map { "\(base)/fd/\($0)" }
            guard links.contains(where: { leads($0, into: mountPoint) }) else { continue }
            users.append("\(name(of: base)) (\(process))")
            if users.count == mostNames { break }
        }
        return users
    }

    private static func leads(_ link: String, into mountPoint: String) -> Bool {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink(link, &buffer, buffer.count)
        guard length > 0 else { return false }
        let target = String(decoding: buffer[..<length].map(UInt8.init(bitPattern:)), as: UTF8.self)
        return target == mountPoint || target.hasPrefix(mountPoint + "/")
    }

    /// The kernel's name of a process, of 15 bytes at most.
    private static func name(of process: String) -> String {
        guard let file = fopen("\(process)/comm", "re") else { return "a process" }
        defer { fclose(file) }
        var buffer = [UInt8](repeating: 0, count: 64)
        let count = fread(&buffer, 1, buffer.count, file)
        return printable(buffer[..<count].prefix { $0 != UInt8(ascii: "\n") })
    }

    private static func names(in path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names
    }
}
