/// What `ftpfs demo` shows, and the files it shows it with.
enum DemoSteps {
    /// A few command lines with a title.
    struct Part {
        let title: String
        let commands: [String]
    }

    /// The parts in their order. Each command line is run as it is printed, by `sh`, in the directory that holds `site` (what is
    /// served) and `mount`; one that fails ends the demo.
    ///
    /// - Parameter url: where the directory is served.
    static func parts(url: String) -> [Part] {
        [
            Part(
                title: "mount it",
                commands: [
                    "ftpfs \(url) mount", "ls -l mount", "cat mount/hello.txt", "grep -c 9 mount/numbers.txt",
                    "cmp mount/pictures/holiday.jpg site/pictures/holiday.jpg && echo the same",
                ]),
            Part(
                title: "write, and look at what arrived on the server side",
                commands: [
                    "echo Written through the mount. > mount/new.txt",
                    "sed -i 's/^line 500$/five hundred/' mount/numbers.txt", "ls -l site", "cat site/new.txt",
                    "sed -n 499,501p site/numbers.txt",
                ]),
        ]
    }

    /// What ends it.
    static let end = Part(title: "unmount", commands: ["ftpfs unmount mount && ls -A mount"])

    /// The files below the directory that is served; nil stands for a directory. Enough to read, to search, and to see that
    /// bytes that are no text arrive as they are.
    static var files: [(path: String, content: [UInt8]?)] {
        var random = SystemRandomNumberGenerator()
        let picture = (0..<100_000).map { _ in UInt8.random(in: 0...255, using: &random) }
        return [
            ("hello.txt", Array("Hello from the other side of an FTP connection.\n".utf8)),
            ("numbers.txt", (1...1000).flatMap { Array("line \($0)\n".utf8) }),
            ("pictures", nil), ("pictures/holiday.jpg", picture),
        ]
    }
}
