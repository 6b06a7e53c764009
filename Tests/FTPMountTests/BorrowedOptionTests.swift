import FTPClient
import Testing

@testable import FTPMount

/// Lines that were written for other programs.
@Suite("The words of other programs")
struct BorrowedOptionTests {
    enum Expectation: Sendable {
        /// The same as these options of ours.
        case means(String)
        /// Accepted, and a line says that it does nothing.
        case noted
        /// Refused, and the line holds this.
        case refused(String)
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let text: String
        let expected: Expectation
        var testDescription: String { text }

        init(_ text: String, _ expected: Expectation) {
            self.text = text
            self.expected = expected
        }
    }

    /// What curlftpfs(1) lists, in its order. What is ours by the same name is here too.
    static let curlftpfs: [Row] = [
        Row("cache=yes", .means("")), Row("cache=no", .means("dir_ttl=0")),
        Row("cache_timeout=7", .means("dir_ttl=7")), Row("cache_stat_timeout=7", .means("dir_ttl=7")),
        Row("cache_dir_timeout=7", .means("dir_ttl=7")), Row("cache_link_timeout=7", .means("dir_ttl=7")),
        Row("allow_other", .means("allow_other")), Row("allow_root", .means("allow_root")),
        Row("ftpfs_debug", .noted), Row("ftpfs_debug=2", .noted),
        Row("transform_symlinks", .means("symlinks=contain")), Row("disable_epsv", .means("disable_epsv")),
        Row("enable_epsv", .means("")), Row("skip_pasv_ip", .means("pasv_address=control")),
        Row("ftp_port=-", .means("data=active")),
        Row("ftp_port=192.0.2.1", .means("data=active,active_address=192.0.2.1")),
        Row("ftp_port=-:2000-2010", .means("data=active,active_ports=2000-2010")),
        Row("ftp_port=eth0", .refused("an IPv4 or IPv6 address")), Row("disable_eprt", .means("disable_eprt")),
        Row("ftp_method=multicwd", .noted), Row("custom_list=LIST", .noted), Row("tcp_nodelay", .noted),
        Row("connect_timeout=7", .means("connect_timeout=7")), Row("ssl", .means("tls=explicit")),
        Row("ssl_control", .means("tls=explicit,tls_data=clear")), Row("ssl_try", .means("tls=auto")),
        Row("no_verify_hostname", .refused("tls_pin=")), Row("no_verify_peer", .means("tls_verify=no")),
        Row("cert=/c", .means("tls_cert=/c")), Row("cert_type=PEM", .means("")),
        Row("cert_type=DER", .refused("one of PEM")), Row("key=/k", .means("tls_key=/k")),
        Row("key_type=PEM", .means("")), Row("key=/k,cert=/c,pass=x", .refused("without a password")),
        Row("engine=x", .refused("tls_cert=")), Row("cacert=/a", .means("tls_ca=/a")),
        Row("capath=/a", .means("tls_ca=/a")), Row("ciphers=HIGH", .noted), Row("interface=eth0", .refused("routes")),
        Row("krb4=clear", .refused("tls=")), Row("proxy=http://p:1", .means("proxy=http://p:1")),
        Row("proxytunnel", .noted), Row("proxy_anyauth", .noted), Row("proxy_basic", .noted),
        Row("proxy_digest", .refused("Basic")), Row("proxy_ntlm", .refused("Basic")), Row("httpproxy", .noted),
        Row("socks4", .refused("socks5://")), Row("socks5", .means("socks5")),
        Row("user=me:pw", .means("username=me,password=pw")), Row("proxy_user=me:pw", .means("proxy_user=me:pw")),
        Row("tlsv1", .noted), Row("sslv3", .refused("SSL 3 is broken")), Row("ipv4", .means("ipv4")),
        Row("ipv6", .means("ipv6")), Row("utf8", .noted), Row("codepage=KOI8-R", .means("charset=KOI8-R")),
        Row("iocharset=utf8", .means("")), Row("nomulticonn", .noted), Row("nonempty", .means("nonempty")),
        Row("direct_io", .noted), Row("no_remote_lock", .means("")), Row("intr", .means("")),
        Row("uid=5,gid=6,umask=022", .means("uid=5,gid=6,umask=022")),
    ]

    static let others: [Row] = [
        Row("attr_timeout=1", .noted), Row("entry_timeout=1", .noted), Row("negative_timeout=1", .noted),
        Row("ac_attr_timeout=1", .noted), Row("remember=1", .noted), Row("intr_signal=1", .noted),
        Row("max_read=1", .noted), Row("max_write=1", .noted), Row("max_readahead=1", .noted),
        Row("max_background=1", .noted), Row("congestion_threshold=1", .noted), Row("max_idle_threads=1", .noted),
        Row("big_writes", .noted), Row("large_read", .noted), Row("async_read", .noted), Row("sync_read", .noted),
        Row("kernel_cache", .noted), Row("auto_cache", .noted), Row("noauto_cache", .noted),
        Row("splice_read", .noted), Row("splice_write", .noted), Row("splice_move", .noted),
        Row("no_splice_read", .noted), Row("no_splice_write", .noted), Row("no_splice_move", .noted),
        Row("atomic_o_trunc", .noted), Row("clone_fd", .noted), Row("readdir_ino", .noted), Row("use_ino", .noted),
        Row("hard_remove", .noted), Row("noforget", .noted), Row("nopath", .noted), Row("writeback_cache", .noted),
        Row("fsname=x", .noted), Row("subtype=x", .noted), Row("auto_unmount", .noted), Row("modules=iconv", .noted),
        Row("reconnect", .means("")), Row("idmap=user", .means("")), Row("idmap=file", .refused("none, user")),
        Row("follow_symlinks", .means("symlinks=follow")), Row("contain_symlinks", .means("symlinks=contain")),
        Row("no_contain_symlinks", .means("symlinks=keep")), Row("dcache_timeout=7", .means("dir_ttl=7")),
        Row("dcache_max_size=7", .noted), Row("max_conns=2", .means("connections=2")),
        Row("ServerAliveInterval=15", .noted), Row("ServerAliveCountMax=3", .noted), Row("compression=yes", .noted),
        Row("delay_connect", .noted), Row("actimeo=7", .means("dir_ttl=7")), Row("acregmax=7", .means("dir_ttl=7")),
        Row("acdirmax=7", .means("dir_ttl=7")), Row("acregmin=7", .noted), Row("acdirmin=7", .noted),
        Row("ac", .means("")), Row("noac", .means("dir_ttl=0")), Row("fmask=0133", .means("file_mode=644")),
        Row("dmask=022", .means("dir_mode=755")), Row("fmask=8", .refused("octal")), Row("domain=x", .noted),
        Row("nolock", .noted), Row("forceuid", .noted), Row("forcegid", .noted), Row("read_only", .means("ro")),
        Row("allow_non_empty", .means("nonempty")), Row("concurrency=3", .means("connections=3")),
        Row("concurrency=0", .refused("1 to 64")), Row("explicit_tls", .means("tls=explicit")),
        Row("no_check_certificate", .means("tls_verify=no")), Row("dir_cache_time=5m0s", .means("dir_ttl=300")),
        Row("dir_cache_time=1h30m", .means("dir_ttl=5400")), Row("dir_cache_time=90", .means("dir_ttl=90")),
        Row("dir_cache_time=5d", .refused("1h30m")), Row("dir_cache_time=", .refused("1h30m")),
        Row("dir_cache_time=99999999h", .refused("1h30m")), Row("vfs_write_back=5s", .means("writeback_delay=5")),
        Row("vfs_cache_mode=writes", .means("")), Row("vfs_cache_mode=x", .refused("one of off")),
        Row("args2env", .noted), Row("config=/etc/rclone.conf", .refused("credentials=FILE")),
        Row("noac=1", .refused("takes no value")), Row("actimeo", .refused("actimeo=SECONDS")),
    ]

    @Test("work, or are noted, or are refused with the reason", arguments: curlftpfs + others)
    func words(_ row: Row) throws {
        func shown(_ text: String) throws -> (text: String, notes: [String]) {
            var options = try MountOptions(parsing: [Array(text.utf8)])
            let notes = options.notes
            options.notes = []
            // What is behind a character set cannot be shown.
            let charset = options.charset.map { "\($0.name)" } ?? ""
            options.charset = nil
            var dumped = charset
            dump(options, to: &dumped)
            // The password of `user=me:pw` does not show in a dump, so it is looked at by itself.
            return (
                dumped + (options.credentials.password.map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""), notes
            )
        }
        switch row.expected {
        case .means(let same):
            let ours = try shown(row.text)
            #expect(try ours.text == shown(same).text)
            #expect(ours.notes.isEmpty)
        case .noted:
            let ours = try shown(row.text)
            #expect(try ours.text == shown("").text)
            #expect(ours.notes.count == 1 && !(ours.notes.first?.contains("`") ?? true))
        case .refused(let reason):
            #expect {
                _ = try shown(row.text)
            } throws: {
                ($0 as? MountOptions.Invalid)?.reason.contains(reason) == true
            }
        }
    }

    @Test("have a test each")
    func complete() {
        let tested = Set((Self.curlftpfs + Self.others).flatMap { OptionList(Array($0.text.utf8)).items.map(\.name) })

        #expect(Set(BorrowedOption.table.map(\.name)).subtracting(tested).isEmpty)
    }

    @Test("are no names of ours, nor of the kernel or mount(8), and come once")
    func disjoint() {
        let names = BorrowedOption.table.map(\.name)
        let ours = Set(MountOption.table.flatMap { [$0.name] + $0.aliases })

        #expect(Set(names).count == names.count)
        #expect(ours.isDisjoint(with: names))
        #expect(ForeignOption.kernel.union(ForeignOption.dropped).isDisjoint(with: names))
    }

    @Test("stand in the documentation as in the program")
    func documentation() throws {
        let page = try Documents.text("Sources/ftpfs/ftpfs.docc/OtherPrograms.md")

        #expect(page.contains(BorrowedOption.markdown), "put this into it:\n\(BorrowedOption.markdown)")
    }

    @Test(
        "old sources work too: the program's name before the URL, which then needs no ftp://",
        arguments: [
            ("curlftpfs#ftp.example.com", "ftp://ftp.example.com/"),
            ("curlftpfs#me:pw@ftp.example.com/dir", "ftp://ftp.example.com/dir"),
            ("curlftpfs#ftp://free:free@host/", "ftp://host/"), ("ftpfs#ftpes://host:2121/x", "ftpes://host:2121/x"),
        ])
    func sources(text: String, url: String) throws {
        #expect(try ServerAddress(parsing: text).sourceName == url)
    }
}

/// Long flags.
@Suite("The long flags")
struct LongOptionTests {
    @Test(
        "become -o, with their values, whatever is in these",
        arguments: [
            (["--uid=1000", "ftp://h/", "/m"], ["-o", #"uid="1000""#, "ftp://h/", "/m"]),
            (["--dir-ttl", "5", "--ro"], ["-o", #"dir_ttl="5""#, "-o", "ro"]),
            (["--allow-other", "x"], ["-o", "allow_other", "x"]),
            (["--log_file=/a,b\"c"], ["-o", "log_file=\"/a,b\"\"c\""]),
            (["--actimeo=3"], ["-o", #"actimeo="3""#]), (["--help"], ["--help"]),
            (["--settings-fd", "3"], ["--settings-fd", "3"]), (["--", "--ro"], ["--", "--ro"]),
            (["--uid"], ["-o", "uid"]), (["--ro=1"], ["-o", #"ro="1""#]),
        ])
    func rewritten(arguments: [String], expected: [String]) {
        #expect(LongOption.rewritten(arguments) == expected)
    }

    @Test(
        "show no password in ps",
        arguments: [
            (["--password=hunter2"], ["--password=*******"]), (["--password", "hunter2"], ["--password", "*******"]),
            (["--pass=a,b"], ["--pass=***"]), (["--user", "me:hunter2"], ["--user", "**********"]),
            (["--uid", "5"], ["--uid", "5"]), (["curlftpfs#me:hunter2@h/d"], ["curlftpfs#me:*******@h/d"]),
            (["-o", "proxy_user=me:pw"], ["-o", "proxy_user=*****"]),
        ])
    func secrets(arguments: [String], expected: [String]) {
        var bytes = arguments.map { Array($0.utf8) }
        for (position, ranges) in ProcessSecrets.secretRanges(in: bytes).enumerated() {
            for index in ranges.joined() { bytes[position][index] = UInt8(ascii: "*") }
        }
        #expect(bytes.map { String(decoding: $0, as: UTF8.self) } == expected)
    }

    @Test("of options that are set are shown by the status, without secrets and what is the kernel's")
    func settings() {
        let texts = ["uid=5,ro,cache_timeout=3,account=secret,password=x,nosuid,_netdev", "dir_ttl=4"]

        #expect(
            OptionList.settings(texts.map { Array($0.utf8) }) == ["uid=5", "account=****", "dir_ttl=4"])
    }
}
