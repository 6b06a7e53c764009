/// The words of other programs: from curlftpfs(1) 0.9.2, mount.fuse(8), sshfs(1), mount.cifs(8), nfs(5), and rclone's
/// `mount`. What they share with ``MountOption/table`` is not repeated here.
extension BorrowedOption {
    /// Every word, in the order of the documentation.
    package static let table: [BorrowedOption] =
        curlftpfs + curlftpfsSecurity + curlftpfsProxy + fuse + sshfs + cifsAndNFS + rclone

    private static let curlftpfs: [BorrowedOption] = [
        .choice("cache", [("yes", []), ("no", ["dir_ttl=0"])]),
        .value("cache_stat_timeout", "SECONDS", of: "dir_ttl"),
        .value("cache_dir_timeout", "SECONDS", of: "dir_ttl"),
        .value("cache_link_timeout", "SECONDS", of: "dir_ttl"),
        .nothing("ftpfs_debug", value: "N", "`-d` and `log_level=debug` show what is sent"),
        .flag("transform_symlinks", "symlinks=contain"),
        .flag("enable_epsv"),
        .flag("skip_pasv_ip", "pasv_address=control"),
        BorrowedOption(
            name: "ftp_port", placeholder: "ADDRESS", allowed: "- or an address in figures, with :LOW-HIGH for ports",
            isSecret: false, help: "`data=active`, with `active_address=` and `active_ports=` if they are in it",
            translate: activeMode),
        .nothing("ftp_method", value: "METHOD", "how directories are named to a server is found out"),
        .nothing("custom_list", value: "COMMAND", "which listing command is best is found out"),
        .nothing("tcp_nodelay", "it is always so"),
        .refused("interface", value: "NAME", "the kernel's routes choose the interface"),
        .refused("krb4", value: "LEVEL", "Kerberos 4 is not supported; `tls=` encrypts"),
        .nothing("utf8", "a server that has UTF-8 is asked for it; `charset=` is for others"),
        .nothing("nomulticonn", "`connections=1` keeps to one connection"),
    ]

    private static let curlftpfsSecurity: [BorrowedOption] = [
        .refused(
            "no_verify_hostname",
            "a certificate for another name is trusted by `tls_pin=`, or, like any, with `tls_verify=no`"),
        .choice("cert_type", [("PEM", [])]),
        .choice("key_type", [("PEM", [])]),
        .refused("engine", value: "NAME", "engines are not supported; `tls_cert=` and `tls_key=` take files"),
        .nothing("ciphers", value: "LIST", "those of OpenSSL's configuration are used"),
        .nothing("tlsv1", "TLS 1.2 or later is used, see `tls_min=`"),
        .refused("sslv3", "SSL 3 is broken; TLS 1.2 or later is used without a word, where TLS is asked for"),
    ]

    private static let curlftpfsProxy: [BorrowedOption] = [
        .nothing("proxytunnel", "a proxy is always used by CONNECT"),
        .nothing("proxy_anyauth", "the kind that works is used: Basic"),
        .nothing("proxy_basic", "it is the kind that is used"),
        .refused("proxy_digest", "only Basic is supported for proxies"),
        .refused("proxy_ntlm", "only Basic is supported for proxies"),
        .nothing("httpproxy", "`proxy=HOST:PORT` is one without a word"),
        .refused("socks4", "SOCKS 4 is not supported; SOCKS 5 is: `proxy=socks5://HOST:PORT`"),
    ]

    /// mount.fuse(8). What libfuse's high-level API keeps times and names for, this file system decides by itself.
    private static let fuse: [BorrowedOption] = fuseTimes + fuseSizes + fuseWays + fuseOthers

    private static let fuseTimes: [BorrowedOption] = [
        "attr_timeout", "entry_timeout", "negative_timeout", "ac_attr_timeout", "remember", "intr_signal",
    ].map { .nothing($0, value: "SECONDS", "`dir_ttl=` says how long things are taken as true") }

    private static let fuseSizes: [BorrowedOption] = [
        "max_read", "max_write", "max_readahead", "max_background", "congestion_threshold", "max_idle_threads",
    ].map { .nothing($0, value: "N", "requests are as large as the kernel allows") }

    private static let fuseWays: [BorrowedOption] = [
        "big_writes", "large_read", "async_read", "sync_read", "direct_io", "kernel_cache", "auto_cache",
        "noauto_cache",
        "splice_read", "splice_write", "splice_move", "no_splice_read", "no_splice_write", "no_splice_move",
        "atomic_o_trunc", "clone_fd", "readdir_ino", "use_ino", "hard_remove", "noforget", "nopath", "writeback_cache",
    ].map { .nothing($0, "how requests are made and cached is decided for each file") }

    private static let fuseOthers: [BorrowedOption] = [
        .nothing("fsname", value: "NAME", "the source shown is the URL"),
        .nothing("subtype", value: "NAME", "the type shown is `fuse.ftpfs`"),
        .nothing("auto_unmount", "a mount that is gone without a trace would look like an empty directory"),
        .nothing("modules", value: "NAMES", "`charset=` is for names in another character set"),
    ]

    private static let sshfs: [BorrowedOption] = [
        .flag("reconnect"),
        .choice("idmap", [("none", []), ("user", [])]),
        .flag("follow_symlinks", "symlinks=follow"),
        .flag("contain_symlinks", "symlinks=contain"),
        .flag("no_contain_symlinks", "symlinks=keep"),
        .nothing("dcache_max_size", value: "N", "names are few bytes; `cache_size=` is for the content of files"),
        .nothing("ServerAliveInterval", value: "SECONDS", "lost connections are noticed and made anew; see `timeout=`"),
        .nothing("ServerAliveCountMax", value: "N", "lost connections are noticed and made anew; see `timeout=`"),
        .nothing("compression", value: "yes|no", "FTP has no compression that works"),
        .nothing("delay_connect", "`x-systemd.automount` mounts at the first use"),
    ]

    private static let cifsAndNFS: [BorrowedOption] = [
        .value("actimeo", "SECONDS", of: "dir_ttl"),
        .value("acregmax", "SECONDS", of: "dir_ttl"),
        .value("acdirmax", "SECONDS", of: "dir_ttl"),
        .nothing("acregmin", value: "SECONDS", "there is one time for all, `dir_ttl=`"),
        .nothing("acdirmin", value: "SECONDS", "there is one time for all, `dir_ttl=`"),
        .flag("ac"),
        .flag("noac", "dir_ttl=0"),
        mask("fmask", "file_mode"),
        mask("dmask", "dir_mode"),
        .nothing("domain", value: "NAME", "FTP knows no domains; a server may want it in `username=`"),
        .nothing("nolock", "locks hold between the programs of this machine"),
        .nothing("forceuid", "`uid=` always holds"),
        .nothing("forcegid", "`gid=` always holds"),
    ]

    private static let rclone: [BorrowedOption] = [
        .flag("read_only", "ro"),
        .flag("allow_non_empty", "nonempty"),
        .value("concurrency", "N", of: "connections"),
        .flag("explicit_tls", "tls=explicit"),
        .flag("no_check_certificate", "tls_verify=no"),
        span("dir_cache_time", "dir_ttl"),
        span("vfs_write_back", "writeback_delay"),
        .choice("vfs_cache_mode", ["off", "minimal", "writes", "full"].map { ($0, []) }),
        .nothing("args2env", "no password is ever seen in `ps`"),
        .refused("config", value: "FILE", "rclone's files are not read; write the URL, and `credentials=FILE`"),
    ]

    // MARK: - Translations

    /// `-`, or an address, and ports behind it (curl's CURLOPT_FTPPORT).
    private static func activeMode(_ value: [UInt8]) -> [String]? {
        guard var place = String(validating: value, as: UTF8.self), !place.isEmpty else { return nil }
        var options = ["data=active"]
        // An IPv6 address has more than one colon, and ports behind it have no form.
        if let colon = place.firstIndex(of: ":"), colon == place.lastIndex(of: ":") {
            options.append("active_ports=\(place[place.index(after: colon)...])")
            place = String(place[..<colon])
        }
        if place != "-", !place.isEmpty { options.append("active_address=\(place)") }
        return options
    }

    /// The bits that are taken away, as mount(8) has them for FAT: what is left is the mode.
    private static func mask(_ name: String, _ mode: String) -> BorrowedOption {
        BorrowedOption(
            name: name, placeholder: "MASK", allowed: "an octal number of 0 to 777", isSecret: false,
            help: "`\(mode)=` 777 without these bits"
        ) { value in
            OptionValue.octal(value).flatMap { $0 <= 0o777 ? ["\(mode)=\(String(0o777 & ~$0, radix: 8))"] : nil }
        }
    }

    /// A span of time as Go writes it: `5m0s`, `1h30m`, `90s`; a number alone is seconds.
    private static func span(_ name: String, _ option: String) -> BorrowedOption {
        BorrowedOption(
            name: name, placeholder: "SPAN", allowed: "a span like 5m or 1h30m", isSecret: false, help: "`\(option)=`"
        ) { value in
            var total = 0
            var digits: [UInt8] = []
            for byte in value {
                guard !(0x30...0x39).contains(byte) else {
                    digits.append(byte)
                    continue
                }
                let units: [UInt8: Int] = [UInt8(ascii: "h"): 3600, UInt8(ascii: "m"): 60, UInt8(ascii: "s"): 1]
                // Six digits of hours are a century, more than any option allows.
                guard digits.count <= 6, let count = OptionValue.decimal(digits), let unit = units[byte] else {
                    return nil
                }
                total += count * unit
                digits = []
            }
            if !digits.isEmpty {
                guard digits.count <= 6, let count = OptionValue.decimal(digits) else { return nil }
                total += count
            }
            return value.isEmpty ? nil : ["\(option)=\(total)"]
        }
    }
}
