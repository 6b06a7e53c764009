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
        }
    ]
}
