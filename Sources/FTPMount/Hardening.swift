import CLinux

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// What keeps the password in the memory of this process.
enum Hardening {
    /// No core dump of this process is written, and no other process of the same user can look into it.
    static func apply() {
        var none = rlimit(rlim_cur: 0, rlim_max: 0)
        // The limit alone does not hold for dumps that go to a program (core_pattern with a |), nor for ptrace(2).
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &none)
        _ = clinux_forbid_dumps()
    }
}
