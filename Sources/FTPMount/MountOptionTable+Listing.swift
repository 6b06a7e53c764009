import FTPClient

extension MountOption {
    /// How directories are shown: symbolic links and times.
    static let listing: [MountOption] = [
        MountOption(
            "symlinks", value: "WAY", allowed: "contain, follow or keep", standard: "contain",
            "symbolic links: kept inside the mount, shown as what they lead to on the server, or shown as they are"
        ) { options, text in
            switch String(decoding: text, as: UTF8.self) {
            case "contain": options.symbolicLinks = .contain
            case "follow": options.symbolicLinks = .follow
            case "keep": options.symbolicLinks = .keep
            default: return false
            }
            return true
        },
        MountOption(
            "timezone", value: "ZONE",
            allowed: "auto, UTC, an offset (+05:45), or a zone of /usr/share/zoneinfo (Asia/Kathmandu)",
            standard: "auto: found out where the server lets it",
            "the zone in which the server lists times"
        ) { options, text in
            guard let zone = TimeZoneName.parse(text) else { return false }
            options.timeZone = zone
            return true
        },
    ]
}
