import Testing

@testable import FTPMount

/// The text behind `-o`.
@Suite("The option list")
struct OptionListTests {
    struct Row: CustomTestStringConvertible, Sendable {
        let text: String
        let items: [String: String?]
        var testDescription: String { text }
    }

    @Test(
        "is split at commas, with libfuse's escapes and libmount's quotes",
        arguments: [
            Row(text: "", items: [:]),
            Row(text: ",,ro,,", items: ["ro": nil]),
            Row(text: "ro,uid=5", items: ["ro": nil, "uid": "5"]),
            Row(text: "a=b=c", items: ["a": "b=c"]),
            Row(text: "a=", items: ["a": ""]),
            Row(text: #"password=a\,b\\c,ro"#, items: ["password": #"a,b\c"#, "ro": nil]),
            Row(text: #"password=a\b,ro"#, items: ["password": #"a\b"#, "ro": nil]),
            Row(text: #"password="a,b""c",ro"#, items: ["password": #"a,b"c"#, "ro": nil]),
            Row(text: #"password="a,b"#, items: ["password": "a,b"]),
            Row(text: #"password=a"b,ro"#, items: ["password": #"a"b"#, "ro": nil]),
            Row(text: #"password=\"#, items: ["password": #"\"#]),
        ])
    func split(_ row: Row) {
        let items = OptionList(Array(row.text.utf8)).items

        #expect(items.count == row.items.count)
        for item in items {
            #expect(row.items[item.name] == .some(item.value.map { String(decoding: $0, as: UTF8.self) }))
        }
    }

    @Test("written out again means the same", arguments: [#"a="x,y""z\",b,c=\,\\"#, "uid=1,ro", "x=\"\"\"\""])
    func roundTrip(text: String) {
        let items = OptionList(Array(text.utf8)).items
        let again = items.flatMap { OptionList($0.escaped).items }

        #expect(again.map(\.name) == items.map(\.name))
        #expect(again.map(\.value) == items.map(\.value))
    }

    @Test("is handed on without what concerns user and password")
    func withoutCredentials() {
        let texts = ["uid=5,password=x,user=u:p", "credentials=/c,netrc=no,username=u,password_stdin,ro"]
        let left = OptionList.withoutCredentials(texts.map { Array($0.utf8) })

        #expect(left.map { String(decoding: $0, as: UTF8.self) } == [#"uid="5""#, "ro"])
    }
}

/// What the options mean.
@Suite("The options")
struct OptionTests {
    private func parse(_ texts: String..., sloppy: Bool = false) throws -> MountOptions {
        try MountOptions(parsing: texts.map { Array($0.utf8) }, ignoringUnknown: sloppy)
    }

    @Test("have their documented defaults")
    func defaults() throws {
        let options = try parse("defaults")

        #expect(options.directoryTimeToLive == .seconds(10))
        #expect(options.connections == 8)
        #expect(options.connectTimeout == .seconds(30))
        #expect(!options.isReadOnly && !options.allowsOthers && !options.checksPermissions)
    }

    @Test("are applied in their order; the later one counts")
    func order() throws {
        let options = try parse("ro,umask=077,uid=5", "rw,umask=022,uid=root,gid=0")

        #expect(!options.isReadOnly)
        #expect(options.umask == 0o022)
        #expect(options.userID == 0)
        #expect(options.groupID == 0)
    }

    @Test("take values of their kind")
    func values() throws {
        let options = try parse(
            "dir_ttl=2.5,connections=1,file_mode=0640,dir_mode=750,cache_size=128M,timeout=9,port=2121,connect_timeout=3"
        )

        #expect(options.directoryTimeToLive == .milliseconds(2500))
        #expect(options.connections == 1)
        #expect(options.fileMode == 0o640)
        #expect(options.directoryMode == 0o750)
        #expect(options.cacheSize == 128 << 20)
        #expect(options.timeout == .seconds(9))
        #expect(options.port == 2121)
        #expect(options.connectTimeout == .seconds(3))
    }

    @Test("of other programs work as aliases", arguments: ["cache_timeout=7", "dcache_timeout=7"])
    func aliases(text: String) throws {
        #expect(try parse(text).directoryTimeToLive == .seconds(7))
    }

    @Test("allow_other lets the kernel check the permissions")
    func allowOther() throws {
        let options = try parse("allow_other")

        #expect(options.allowsOthers && options.checksPermissions)
    }

    @Test("for the kernel go on as they are")
    func kernel() throws {
        #expect(try parse("nosuid,nodev,noatime,sync").kernelOptions == ["nosuid", "nodev", "noatime", "sync"])
    }

    @Test(
        "that fstab, systemd and autofs bring along are dropped",
        arguments: [
            "defaults", "auto", "noauto", "user", "nouser", "users", "nousers", "owner", "group", "_netdev", "nofail",
            "uhelper=udisks2", "helper=x", "silent", "loud", "mand", "iversion", "relatime", "norelatime",
            "strictatime", "lazytime", "diratime", "nodiratime", "intr", "no_remote_lock", "comment=x y",
            "x-systemd.automount",
            "x-systemd.requires=a.service", "X-mount.mkdir", "loop", "loop=/dev/loop0", "offset=5", "rprivate",
            "verity.hashdevice=x",
        ])
    func dropped(text: String) throws {
        #expect(try parse(text).kernelOptions.isEmpty)
    }

    @Test(
        "that nobody knows are refused with the nearest name",
        arguments: [
            ("conections=4", "unknown option conections; did you mean connections?"),
            ("allow_others", "unknown option allow_others; did you mean allow_other?"),
            ("dirttl=4", "unknown option dirttl; did you mean dir_ttl?"),
            ("filemode=600", "unknown option filemode; did you mean file_mode?"),
            ("noatme", "unknown option noatme; did you mean noatime?"),
            ("xyzzyplugh", "unknown option xyzzyplugh; see ftpfs --help"),
        ])
    func unknown(text: String, reason: String) {
        #expect {
            _ = try parse(text)
        } throws: {
            ($0 as? MountOptions.Invalid)?.reason.contains(reason) == true
        }
    }

    @Test("that nobody knows are dropped with -s, but a wrong value is not")
    func sloppy() throws {
        #expect(try parse("conections=4,ro", sloppy: true).isReadOnly)
        #expect(throws: MountOptions.Invalid.self) { try parse("connections=none", sloppy: true) }
    }

    @Test(
        "with a wrong value are refused with the option, the value and what is allowed",
        arguments: [
            ("connections=0", "option connections: the value '0' must be a whole number of 1 to 64"),
            ("connections=65", "1 to 64"),
            ("connections=-1", "1 to 64"),
            ("connections=99999999999999999999", "1 to 64"),
            ("connections=", "1 to 64"),
            ("connections", "option connections needs a value; write connections=N"),
            ("ro=1", "option ro takes no value"),
            ("file_mode=8", "option file_mode: the value '8' must be an octal number of 0 to 777"),
            ("file_mode=1000", "0 to 777"),
            ("umask=0x1", "octal"),
            ("dir_ttl=-1", "option dir_ttl: the value '-1' must be a number of seconds of 0 to 86400"),
            ("dir_ttl=1e3", "seconds"),
            ("dir_ttl=1.2.3", "seconds"),
            ("connect_timeout=0", "1 to 85"),
            ("port=0", "1 to 65535"),
            ("port=70000", "1 to 65535"),
            ("uid=nobody-of-that-name", "option uid: the value 'nobody-of-that-name' must be a user's name or number"),
            ("uid=4294967295", "user's name or number"),
            ("cache_size=1K", "1M to 64G"),
            ("cache_size=9999999999999999G", "1M to 64G"),
            ("username=", "option username: the value '' must be a name"),
            ("log_file=", "option log_file: the value '' must be a path"),
        ])
    func badValues(text: String, reason: String) {
        #expect {
            _ = try parse(text)
        } throws: {
            ($0 as? MountOptions.Invalid)?.reason.contains(reason) == true
        }
    }

    @Test("never show a password that cannot be sent")
    func silence() {
        for text in ["password=hunter2\n", "user=me:hunter2\r"] {
            #expect {
                _ = try parse(text)
            } throws: {
                !"\($0)".contains("hunter2")
            }
        }
    }

    @Test("have names that are all different")
    func table() {
        let names = MountOption.table.flatMap { [$0.name] + $0.aliases }

        #expect(Set(names).count == names.count)
        #expect(ForeignOption.kernel.isDisjoint(with: names))
        #expect(ForeignOption.dropped.isDisjoint(with: names))
    }
}
