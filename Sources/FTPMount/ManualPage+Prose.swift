/// What the manual pages say around their tables.
extension ManualPage {
    static let programDescription = [
        """
        A mount makes a directory of an FTP server a directory of this machine, so that ordinary programs work in it. \
        When `close` has returned 0, the server has acknowledged every byte; when something fails, the program that asked \
        gets an error, in bounded time.
        """,
        """
        The URL is `ftp://[USER[:PASSWORD]@]HOST[:PORT]/[PATH]`. PATH begins at the directory where the login leads; \
        `%2F` in front begins it at the server's root. Other bytes are written `%XX`. With `ftpes://` the login is \
        encrypted (`AUTH TLS`), or fails; with `ftps://` TLS comes before everything else, at port 990; with `ftp://` all \
        is sent in the clear, unless `tls=` says something else.
        """,
        """
        The program returns when the mount answers, and goes on in the background, where its log goes to syslog. \
        `SIGTERM` ends a mount when what is unsent has been sent. `SIGHUP` makes it look at everything anew, and \
        `SIGUSR1` writes its status to its log.
        """,
    ]

    static let helperDescription = [
        """
        This is how mount(8) calls ftpfs for the types `ftpfs` and `fuse.ftpfs`: for `mount`, for lines in `/etc/fstab`, \
        for systemd and for autofs. The program is `ftpfs` itself, under another name; `ftpfs status`, `ftpfs refresh` \
        and the other commands of ftpfs(8) work with such mounts.
        """,
        """
        A line in `/etc/fstab` should have `_netdev`, so that systemd waits for the network, and `nofail`, so that the \
        machine starts when the server is away. The password belongs into a file for `credentials=`, since everybody \
        can read `/etc/fstab`. A blank in a field is written `\\040`.
        """,
    ]

    static let optionIntroduction = [
        """
        Options stand behind `-o`, separated by commas. A comma in a value is written `\\,`; or the value is put into \
        double quotes. Names behind a comma mean the same.
        """
    ]

    static let programSections: [(String, [String])] = [
        (
            "PASSWORDS",
            [
                """
                The first of these that has a password counts: the URL; `password=`; the files of `credentials=` and \
                `password_file=`; standard input, with `password_stdin`; the environment; a systemd credential \
                `ftpfs.credentials` or `ftpfs.password`; `~/.netrc`, or the file of `netrc=`; the keyring of the desktop \
                (`secret-tool`); a prompt on the terminal, or by systemd's password agents. Files with passwords must \
                belong to you or root, and be closed to everybody else. Without a user's name the login is anonymous.
                """
            ]
        ),
        (
            "ENVIRONMENT",
            [
                """
                `FTPFS_PASSWORD` or `PASSWD` hold the password, `PASSWD_FD` the number of an open file with it, or \
                `PASSWD_FILE` a file's name. `NO_COLOR` takes the colours away. `XDG_CACHE_HOME`, `XDG_STATE_HOME` and `XDG_RUNTIME_DIR` move the \
                directories below.
                """
            ]
        ),
    ]

    static let systemd = [
        """
        With `x-systemd.automount` in `/etc/fstab` the mount is made when somebody first looks at it, and with \
        `x-systemd.idle-timeout=` it goes when nobody has for so long. `x-systemd.*` options never reach this program. \
        In units that are written by hand, `%` in a URL is doubled.
        """,
        "If `updatedb` runs on the machine, `fuse.ftpfs` has to be among `PRUNEFS` in `/etc/updatedb.conf`.",
    ]

    static let fileTable: [(String, String)] = [
        ("/run/ftpfs", "Sockets of root's mounts; those of others are in `$XDG_RUNTIME_DIR/ftpfs`."),
        ("/var/cache/ftpfs", "What root's mounts have not sent yet; that of others is in `~/.cache/ftpfs`."),
        ("/var/lib/ftpfs", "The same with `writeback`; of others in `~/.local/state/ftpfs`."),
        ("/etc/fuse.conf", "Needs `user_allow_other`, for `allow_other` by others than root."),
    ]

    static let programExamples: [(String, [String])] = [
        (
            "Mount, work, and unmount:",
            [
                "ftpfs ftpes://me@ftp.example.com/projects /mnt/projects",
                "ftpfs status /mnt/projects",
                "ftpfs unmount /mnt/projects",
            ]
        ),
        ("Find out what a server can do:", ["ftpfs probe ftp://me@ftp.example.com/projects"]),
        ("Try it without a server:", ["ftpfs demo"]),
    ]

    static let helperExamples: [(String, [String])] = [
        (
            "In /etc/fstab, on one line:",
            [
                "ftp://ftp.example.com/projects  /mnt/projects  ftpfs",
                "  credentials=/etc/ftpfs.credentials,uid=me,_netdev,nofail,",
                "  x-systemd.automount,x-systemd.idle-timeout=10min  0  0",
            ]
        ),
        ("/etc/ftpfs.credentials, with mode 600:", ["username=me", "password=secret"]),
    ]
}

extension ExitCode {
    /// What it means, in a sentence.
    var meaning: String {
        switch self {
        case .success: "It has worked."
        case .usage: "The request was wrong: an argument, an option, the mount point, or a password is missing."
        case .system: "Trouble on this machine: no memory, no room, no permission."
        case .internalFault: "The mounting process ended without a word."
        case .interrupted: "It was interrupted before the mount was there."
        case .mountFailed: "The server or the kernel refused."
        }
    }
}
