import FTPClient

extension MountOption {
    /// How names are written on the server, and what else its login may ask for.
    static let names: [MountOption] = [
        // curlftpfs calls it `codepage`, rclone and davfs2 have words like `server_charset`.
        MountOption(
            "charset", aliases: ["codepage", "server_charset"], value: "NAME",
            allowed:
                "a character set that contains ASCII and that this machine knows: `iconv -l` lists them (KOI8-R, GBK,"
                + " SHIFT_JIS, CP1252, …); more of them may be in a package of their own, such as libc-gconv-modules-extra or"
                + " glibc-gconv-extra",
            standard: "names are sent and shown as they are",
            "the character set of the server's names, if it is not UTF-8"
        ) { options, text in
            guard let name = String(validating: text, as: UTF8.self) else { return false }
            do throws(NameCharset.Unusable) {
                options.charset = try NameCharset.named(name)
                return true
            } catch {
                return false
            }
        },
        // curlftpfs's name of the set on this side. It is always UTF-8 here.
        MountOption(
            "iocharset", value: "utf8", allowed: "`utf8`: names on this side are always UTF-8", standard: "utf8",
            "for lines that were written for other programs"
        ) { _, text in
            ["utf8", "utf-8"].contains(String(decoding: text, as: UTF8.self).lowercased())
        },
        MountOption(
            "telnet_iac", value: "WHEN", allowed: "`auto`, `on` or `off`", standard: "auto: only for ProFTPD",
            "`auto`, `on` or `off`: whether a byte 0xFF in a name is sent twice, as TELNET wants it"
        ) { options, text in
            switch String(decoding: text, as: UTF8.self) {
            case "auto": options.telnetEscape = nil
            case "on": options.telnetEscape = true
            case "off": options.telnetEscape = false
            default: return false
            }
            return true
        },
        MountOption(
            "account", value: "NAME", allowed: "text without line ends", isSecret: true,
            "what to answer when the server asks for an account (ACCT) besides the password"
        ) { options, text in
            options.account = text
            return !text.isEmpty && !text.contains { $0 == 0x00 || $0 == 0x0A || $0 == 0x0D }
        },
    ]
}
