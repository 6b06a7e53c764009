import FTPClient

extension MountOption {
    /// How files and directories are read.
    static let reading: [MountOption] = [
        MountOption(
            "prefetch", value: "on|off", allowed: "on or off", standard: "on",
            "`on`: list directories and fetch small files ahead of a program that goes through them in order; `off`"
        ) { options, text in
            switch text {
            case Array("on".utf8): options.prefetches = true
            case Array("off".utf8): options.prefetches = false
            default: return false
            }
            return true
        },
        MountOption(
            "pipelining", value: "auto|off", allowed: "auto or off", standard: "auto",
            "`auto`: send commands together and make data connections ahead where the server is known to take that; `off`"
        ) { options, text in
            switch text {
            case Array("auto".utf8): options.pipelining = .automatic
            case Array("off".utf8): options.pipelining = .off
            default: return false
            }
            return true
        },
    ]
}
