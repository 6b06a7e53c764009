import FTPClient
import Vocabulary

extension MountOption {
    /// Every option, in the order of the documentation.
    package static let table: [MountOption] =
        identity + rights + permissions + behaviour + names + security + network + listing + reading + writing
        + writeBack + deadlines + privileges + reporting + credentials

    private static let identity: [MountOption] = [
        MountOption(
            "uid", value: "USER", allowed: "a user's name or number", standard: "you",
            "who owns all files and directories"
        ) { options, text in
            options.userID = Accounts.userID(text)
            return options.userID != nil
        },
        MountOption(
            "gid", value: "GROUP", allowed: "a group's name or number", standard: "your group",
            "the group of all files and directories"
        ) { options, text in
            options.groupID = Accounts.groupID(text)
            return options.groupID != nil
        },
    ]

    private static let permissions: [MountOption] = [
        .mode("umask", standard: "", "permission bits to take away, also from `file_mode` and `dir_mode`") {
            $0.umask = $1
        },
        .mode("file_mode", standard: "the server's", "the permission bits of every file") { $0.fileMode = $1 },
        .mode("dir_mode", standard: "the server's", "the permission bits of every directory") {
            $0.directoryMode = $1
        },
    ]

    private static let rights: [MountOption] = [
        .flag("ro", "read only: nothing on the server is changed") { $0.isReadOnly = true },
        .flag("rw", "read and write; the default") { $0.isReadOnly = false },
        .flag("allow_other", "other users may use the mount; implies `default_permissions`") {
            $0.allowsOthers = true
            $0.checksPermissions = true
        },
        .flag("allow_root", "root may use the mount too") { $0.allowsRoot = true },
        .flag("default_permissions", "the kernel checks the permission bits") { $0.checksPermissions = true },
        .flag("nonempty", "the mount point may hold files; they are hidden while mounted") {
            $0.acceptsNonEmpty = true
        },
    ]

    private static let behaviour: [MountOption] = [
        .seconds(
            "dir_ttl", aliases: ["cache_timeout", "dcache_timeout"], in: 0...86_400, standard: "10",
            "how long a directory listing is taken as true; three times as long as it took to come, if that is longer"
        ) { $0.directoryTimeToLive = $1 },
        .number(
            "connections", aliases: ["max_conns"], in: 1...64, standard: "8",
            "how many connections to the server there may be"
        ) { $0.connections = $1 },
        MountOption(
            "cache_size", value: "BYTES", allowed: "a number of bytes of 1M to 64G; K, M and G are understood",
            standard: "64M", "memory for file content"
        ) { options, text in
            guard let size = OptionValue.size(text), (1 << 20...64 << 30).contains(size) else { return false }
            options.cacheSize = size
            return true
        },
        // systemd gives a mount unit 90 s: a connect that takes longer would be killed without a word.
        .seconds("connect_timeout", in: 1...85, standard: "30", "how long to try to connect and log in") {
            $0.connectTimeout = $1
        },
        .seconds(
            "timeout", in: 1...3600, standard: "30; in transfers 60",
            "how long to wait for a reply, or for the next byte"
        ) {
            $0.timeout = $1
        },
        .number("port", in: 1...65_535, standard: "21; with implicit TLS 990", "the server's port, if the URL has none")
        {
            $0.port = UInt16($1)
        },
        .path(
            "spool_dir", "DIRECTORY", standard: "`~/.cache/ftpfs`; root: `/var/cache/ftpfs`",
            "where what is written waits until it is sent"
        ) { $0.spoolDirectory = $1 },
    ]

    private static let credentials: [MountOption] = [
        MountOption(
            "username", value: "NAME", allowed: "a name", standard: "anonymous", isCredential: true,
            "the user's name on the server"
        ) { options, text in
            options.credentials.user = text
            return isSendable(text)
        },
        // curlftpfs's form; mount(8) keeps `user` for itself, so it works only when the program is called directly.
        MountOption(
            "user", value: "NAME[:PASSWORD]", allowed: "a name, or NAME:PASSWORD", isCredential: true, isSecret: true,
            "both at once, as curlftpfs has it; not through mount(8)"
        ) { options, text in
            // Without a value it is mount(8)'s word for "users may mount this", which is none of our business.
            guard !text.isEmpty else { return true }
            let parts = text.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
            options.credentials.user = parts.first.map(Array.init)
            if parts.count == 2 { options.credentials.password = Secret(Array(parts[1])) }
            return isSendable(options.credentials.user ?? []) && !text.contains(where: endsACommand)
        },
        MountOption(
            "password", aliases: ["pass"], value: "PASSWORD", allowed: "text without line ends", isCredential: true,
            isSecret: true, "the password; better in a file"
        ) { options, text in
            options.credentials.password = Secret(text)
            return !text.contains(where: endsACommand)
        },
        .path(
            "credentials", "FILE", standard: "", isCredential: true,
            "a file with the lines `username=` and `password=`, and `account=` if need be, readable only by its owner"
        ) { $0.credentials.file = $1 },
        .path(
            "password_file", "FILE", standard: "", isCredential: true,
            "a file whose first line is the password, readable only by its owner"
        ) { $0.credentials.passwordFile = $1 },
        .path(
            "netrc", "FILE", standard: "`~/.netrc`", isCredential: true,
            "a file in the form of netrc(5), readable only by its owner; `no` for none"
        ) { $0.credentials.netrc = $1 == "no" ? .none : .file($1) },
        MountOption(
            "password_stdin", isCredential: true, "the password is the first line of standard input"
        ) { options, _ in
            options.credentials.readsStandardInput = true
            return true
        },
        .choice(
            "keyring", [("yes", true), ("no", false)], standard: "yes", isCredential: true,
            "whether the keyring of the desktop is asked for the password (`secret-tool`), in a session that has one"
        ) { $0.credentials.asksKeyring = $1 },
    ]

    private static func isSendable(_ name: [UInt8]) -> Bool { !name.isEmpty && !name.contains(where: endsACommand) }

    private static func endsACommand(_ byte: UInt8) -> Bool { byte == 0x00 || byte == 0x0A || byte == 0x0D }
}
