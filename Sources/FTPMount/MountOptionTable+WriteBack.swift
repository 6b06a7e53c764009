extension MountOption {
    /// How files are sent after their close.
    static let writeBack: [MountOption] = [
        .flag(
            "writeback",
            "`close` returns when the file is safe on this machine, and it is sent afterwards; `fsync` still waits for the server"
        ) { $0.writesBack = true },
        .seconds(
            "writeback_delay", in: 0...3600, standard: "1", "how long a closed file waits before it is sent"
        ) { $0.writeBackDelay = $1 },
        .seconds(
            "drain_timeout", in: 1...86_400, standard: "as long as files go through",
            "how long the end of a mount waits for `writeback`; the next mount sends the rest"
        ) { $0.drainTimeout = $1 },
    ]
}
