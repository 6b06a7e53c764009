#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Users and groups of this machine: getpwnam_r(3), getgrnam_r(3), getpwuid_r(3). May read files or ask a name service.
enum Accounts {
    /// A user by number or by name.
    static func userID(_ text: [UInt8]) -> UInt32? {
        if let number = OptionValue.decimal(text) { return validID(number) }
        return withScratch { buffer, size in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = getpwnam_r(String(decoding: text, as: UTF8.self), &entry, buffer, size, &found)
            return (code, found == nil ? nil : entry.pw_uid)
        }
    }

    /// A group by number or by name.
    static func groupID(_ text: [UInt8]) -> UInt32? {
        if let number = OptionValue.decimal(text) { return validID(number) }
        return withScratch { buffer, size in
            var entry = group()
            var found: UnsafeMutablePointer<group>?
            let code = getgrnam_r(String(decoding: text, as: UTF8.self), &entry, buffer, size, &found)
            return (code, found == nil ? nil : entry.gr_gid)
        }
    }

    /// The home directory of whoever runs this: `$HOME`, else what the user database says. `mount` run by systemd has
    /// no HOME.
    static func homeDirectory() -> String? {
        if let home = getenv("HOME") {
            let path = String(cString: home)
            if path.hasPrefix("/") { return path }
        }
        return withScratch { buffer, size in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = getpwuid_r(geteuid(), &entry, buffer, size, &found)
            guard found != nil, let home = entry.pw_dir else { return (code, nil) }
            return (code, String(cString: home))
        }
    }

    /// A user by number or by name, with all that it takes to become that user; `nil`: the user database has none.
    static func servingUser(_ text: [UInt8]) -> ServingUser? {
        guard let id = userID(text) else { return nil }
        return withScratch { buffer, size in
            var entry = passwd()
            var found: UnsafeMutablePointer<passwd>?
            let code = getpwuid_r(id, &entry, buffer, size, &found)
            guard found != nil, let name = entry.pw_name, let home = entry.pw_dir else { return (code, nil) }
            return (
                code,
                ServingUser(
                    name: String(cString: name), id: id, group: entry.pw_gid, home: String(cString: home))
            )
        }
    }

    /// The largest number is (uid_t)-1, which means "leave it" to the kernel.
    private static func validID(_ number: Int) -> UInt32? {
        UInt32(exactly: number).flatMap { $0 == .max ? nil : $0 }
    }

    /// Calls with a larger buffer while the answer is ERANGE.
    private static func withScratch<Result>(
        _ body: (UnsafeMutablePointer<CChar>, Int) -> (code: Int32, result: Result?)
    ) -> Result? {
        // A group may have thousands of members; a megabyte is the end of any honest entry.
        var size = 4096
        while size <= 1 << 20 {
            let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: size)
            defer { buffer.deallocate() }
            let (code, result) = body(buffer, size)
            guard code == ERANGE else { return result }
            size *= 4
        }
        return nil
    }
}
