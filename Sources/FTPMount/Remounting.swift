import SystemPackage
import Vocabulary

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// `mount -o remount,…`: of a mount that is there already, the options of the kernel can be changed (`ro`, `nosuid`, …), those
/// of the file system cannot.
///
/// mount(8) passes all options of the line in fstab, or of /proc/mounts, beside the new ones: what the mount has already is no
/// change. Which options it has, its process is asked.
enum Remounting {
    /// The flags of mount(2) that its `MS_REMOUNT` can change, by their words.
    private static let flags: [String: (set: UInt, clear: UInt)] = [
        "ro": (UInt(MS_RDONLY), 0), "rw": (0, UInt(MS_RDONLY)),
        "nosuid": (UInt(MS_NOSUID), 0), "suid": (0, UInt(MS_NOSUID)),
        "nodev": (UInt(MS_NODEV), 0), "dev": (0, UInt(MS_NODEV)),
        "noexec": (UInt(MS_NOEXEC), 0), "exec": (0, UInt(MS_NOEXEC)),
        "noatime": (UInt(MS_NOATIME), 0), "atime": (0, UInt(MS_NOATIME)),
        "sync": (UInt(MS_SYNCHRONOUS), 0), "async": (0, UInt(MS_SYNCHRONOUS)),
    ]

    /// What libfuse does not know, so that it is added to the mount once that is there.
    static let lateFlags: Set<String> = ["nosymfollow"]

    /// MS_NOSYMFOLLOW (mount(2), Linux 5.10), which older headers lack.
    private static let noSymbolicLinks: UInt = 256

    /// Adds ``lateFlags`` to a mount that answers.
    static func addFlags(of plan: MountPlan) throws(MountFailure) {
        guard !lateFlags.isDisjoint(with: plan.options.kernelOptions) else { return }
        let flags = flags(of: plan.optionTexts, at: plan.mountPoint) | noSymbolicLinks
        guard mount(nil, plan.mountPoint, nil, UInt(MS_REMOUNT) | UInt(MS_BIND) | flags, nil) == 0 else {
            throw MountFailure(
                .mountFailed, "the option nosymfollow cannot be applied: \(Errno(rawValue: errno))",
                remedy: errno == EPERM ? "only root can" : nil)
        }
    }

    /// Options that do not say how the process works: those of the kernel, and what only a new mount looks at.
    private static let harmless: Set<String> = [
        "ro", "rw", "allow_other", "allow_root", "default_permissions", "nonempty",
    ]

    /// Changes the options of a mount. Asks its process, but no server.
    ///
    /// - Throws: ``MountFailure``: ``ExitCode/usage`` when there is no mount, ``ExitCode/mountFailed`` for an option that cannot
    ///   be changed, and when the kernel says no.
    static func remount(_ request: MountRequest, _ options: MountOptions) throws(MountFailure) {
        let path = MountPoint.absolute(request.mountPoint)
        let table = MountTable.current()
        guard let entry = table.entries.last(where: { $0.mountPoint == path }), entry.type == MountTable.ownType else {
            throw MountFailure(.usage, "\(path) cannot be remounted, because no ftpfs is mounted there")
        }
        let status: MountStatus
        do throws(ControlClient.Failure) {
            status = try MountedPlace(entry, in: table).client.status()
        } catch {
            throw error.failure(at: MountedPlace(entry, in: table))
        }
        for text in OptionList.settings(request.optionTexts) where !status.options.contains(text) {
            throw MountFailure(
                .mountFailed, "\(path): the option \(text) cannot be changed while it is mounted",
                remedy: "unmount it, and mount it with the new options")
        }
        if status.isReadOnly, !options.isReadOnly {
            throw MountFailure(
                .mountFailed, "\(path) was mounted read only, and cannot become writable",
                remedy: "unmount it, and mount it again without ro")
        }
        if request.isFake { return }
        guard mount(nil, path, nil, UInt(MS_REMOUNT) | flags(of: request.optionTexts, at: path), nil) == 0 else {
            throw failure(errno, path)
        }
    }

    /// What the mount has now, changed by the words in their order.
    private static func flags(of texts: [[UInt8]], at path: String) -> UInt {
        var space = statvfs()
        var result: UInt = 0
        // Answered without a server, and with the flags of this mount (statvfs(3)); ST_ and MS_ have the same values here.
        if statvfs(path, &space) == 0 {
            for flag in flags.values { result |= UInt(space.f_flag) & flag.set }
        }
        for item in texts.flatMap({ OptionList($0).items }) where item.value == nil {
            guard let flag = flags[item.name] else { continue }
            result = result & ~flag.clear | flag.set
        }
        return result
    }

    private static func failure(_ code: Int32, _ path: String) -> MountFailure {
        switch code {
        case EBUSY:
            MountFailure(
                .mountFailed, "\(path) cannot become read only while files in it are open for writing",
                remedy: "fuser -m \(path) shows who has them")
        case EPERM:
            MountFailure(.usage, "only root can change the options of a mount")
        default:
            MountFailure(.mountFailed, "\(path) cannot be remounted: \(Errno(rawValue: code))")
        }
    }

    /// Whether an option has to be the same as that of the mount that is there.
    static func isSetting(_ item: OptionList.Item) -> Bool {
        guard let option = MountOption.named(item.name) else { return false }
        return !option.isCredential && !harmless.contains(option.name)
    }
}

extension OptionList {
    /// The options of ours in texts, each under its documented name and in its own way of writing, later ones in place of
    /// earlier ones; without those that concern credentials or the kernel, and without secrets. What `ftpfs status` shows.
    package static func settings(_ texts: [[UInt8]]) -> [String] {
        var shown: [(name: String, text: String)] = []
        for item in texts.flatMap({ OptionList($0).items }) where Remounting.isSetting(item) {
            guard let option = MountOption.named(item.name) else { continue }
            let value = item.value.map { option.isSecret ? "=****" : "=" + printable($0) } ?? ""
            shown.removeAll { $0.name == option.name }
            shown.append((option.name, option.name + value))
        }
        return shown.map(\.text)
    }
}
