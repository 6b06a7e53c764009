import Vocabulary

extension MountOption {
    /// How files are written.
    static let writing: [MountOption] = [
        MountOption(
            "spool_size", value: "BYTES", allowed: "a number of bytes of 1M to 64T; K, M, G and T are understood",
            standard: "what the disk has, but for a reserve", "how much of what is written may wait in `spool_dir`"
        ) { options, text in
            guard let size = OptionValue.size(text), (1 << 20...64 << 40).contains(size) else { return false }
            options.spoolSize = size
            return true
        },
        MountOption(
            "size", value: "BYTES", allowed: "a number of bytes of 1M to 1P; K, M, G, T and P are understood",
            standard: "1 PiB", "what `df` shows, where the server does not say how much room there is"
        ) { options, text in
            guard let size = OptionValue.size(text), (1 << 20...1 << 50).contains(size) else { return false }
            options.reportedSize = UInt64(size)
            return true
        },
        .flag("inplace", "write over existing files instead of replacing them by complete ones") {
            $0.replacesInPlace = true
        },
    ]
}
