import Logging

extension MountOption {
    /// How a mount says what it does.
    static let reporting: [MountOption] = [
        .path("log_file", "FILE", standard: "syslog; with `-f` standard error", "where the log goes") {
            $0.logFile = $1
        },
        .choice(
            "log_level",
            [("debug", .debug), ("info", .info), ("notice", .notice), ("warning", .warning), ("error", .error)]
                as [(String, Logger.Level)],
            standard: "info; with `-d` debug", "what the log has: `debug` is every command and reply, without passwords"
        ) { $0.logLevel = $1 },
        .flag(
            "xattr",
            "files have the attributes `user.ftpfs.url`, `user.ftpfs.state` and `user.ftpfs.checksum`; `ls -l` then asks"
                + " this process for the attributes of every file, which otherwise it does not"
        ) { $0.hasExtendedAttributes = true },
    ]
}
