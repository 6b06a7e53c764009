import TestSupport
import Testing

/// `scripts/check` finds what it is there to find, in trees made for the purpose.
@Suite struct CheckTests {
    /// A file of a tree and what the script says about it.
    struct Row: Sendable, CustomTestStringConvertible {
        let rule: String
        let path: String
        let content: String
        /// The beginnings of the lines printed.
        let violations: [String]

        var testDescription: String { "\(rule): " + content.prefix(40).replacing("\n", with: " ") }

        init(_ rule: String, _ path: String, _ content: String, _ violations: String...) {
            self.rule = rule
            self.path = path
            self.content = content
            self.violations = violations
        }
    }

    static let rows = [
        Row("imports", "Sources/FileSystem/A.swift", "import Threading\nimport Glibc"),
        Row(
            "imports", "Sources/FileSystem/A.swift", "import Vocabulary\npackage import FTPClient",
            "Sources/FileSystem/A.swift:2: layering:"),
        Row("imports", "Sources/FTPProtocol/A.swift", "import Glibc", "Sources/FTPProtocol/A.swift:1: layering:"),
        Row(
            "imports", "Sources/FTPMount/A.swift", "@preconcurrency import Foundation",
            "Sources/FTPMount/A.swift:1: foundation:"),
        Row("imports", "Sources/FTPMount/A.swift", "// import Foundation\nlet a = \"import Foundation\""),
        Row(
            "imports", "Sources/FTPClient/A.swift", "internal import struct FileSystem.Inode",
            "Sources/FTPClient/A.swift:1: layering:"),

        Row("names", "Sources/FileSystem/A.swift", "let ftpReply = 1", "Sources/FileSystem/A.swift:1: names:"),
        Row(
            "names", "Sources/FileSystem/A.swift", "func open(_ file: FuseFile)", "Sources/FileSystem/A.swift:1: names:"
        ),
        Row("names", "Sources/FileSystem/A.swift", "/// As FTP does.\nvar isRefused = false // not FUSE"),
        Row("names", "Sources/FTPClient/A.swift", "struct FTPThing {}"),

        Row("bans", "Sources/Threading/A.swift", "let a = Mutex<Int>(0)", "Sources/Threading/A.swift:1: mutex:"),
        Row("bans", "Sources/Threading/A.swift", "\n\nlet pid = fork()", "Sources/Threading/A.swift:3: fork:"),
        Row("bans", "Sources/FTPMount/A.swift", "func run() async {}", "Sources/FTPMount/A.swift:1: async:"),
        Row("bans", "Sources/FTPMount/A.swift", "try! run()", "Sources/FTPMount/A.swift:1: force:"),
        Row("bans", "Sources/FTPMount/A.swift", "/* fork() */ let text = \"\"\"\n    await fork()\n    \"\"\""),
        Row("bans", "Sources/CLinux/a.c", "int a = vfork();", "Sources/CLinux/a.c:1: fork:"),

        Row("texts", "Sources/FTPMount/A.swift", "// TO" + "DO: later", "Sources/FTPMount/A.swift:1: unfinished:"),
        Row("texts", "scripts/tool", String(repeating: "a\n", count: 500)),
        Row("texts", "scripts/tool", String(repeating: "a\n", count: 501), "scripts/tool:501: length:"),

        Row("scripts", "scripts/tool", "#!/bin/sh\ntrue\n", "scripts/tool:1: executable:"),
        Row("scripts", "scripts/part.sh", "if true\n", "scripts/part.sh:2: syntax:"),
        Row("scripts", "scripts/part.py", "def (:\n", "scripts/part.py:1: syntax:"),

        Row("readme", "README.md", "Run `scripts/nothing`.\n", "README.md:1: readme:"),
        Row(
            "readme", "README.md", "See [it](docs/nothing.md) and [that](https://example.org/).", "README.md:1: readme:"
        ),
        Row("readme", "README.md", "See [this](README.md)."),
        Row(
            "semantics", "Sources/ftpfs/ftpfs.docc/Semantics.md", "A page.\n\n- Nobody has tested this.\n",
            "Sources/ftpfs/ftpfs.docc/Semantics.md:3: semantics:"),
        Row("semantics", "Sources/ftpfs/ftpfs.docc/Semantics.md", "No claim.\n"),
    ]

    @Test(arguments: rows)
    func `finds what is wrong and nothing else`(_ row: Row) throws {
        let tree = try TemporaryDirectory("check")
        let folder = row.path.split(separator: "/").dropLast().joined(separator: "/")
        _ = try Shell.run(["mkdir", "-p", tree.path(folder)])
        try Files.write(row.content, to: tree.path(row.path))

        let outcome = try Shell.run([Repository.script("check"), "--root", tree.path, "--only", row.rule])

        let lines = outcome.output.split(separator: "\n").map(String.init)
        #expect(lines.count == row.violations.count, "\(outcome)")
        for (line, beginning) in zip(lines, row.violations) { #expect(line.hasPrefix(beginning), "\(outcome)") }
        #expect(outcome.exit == .code(row.violations.isEmpty ? 0 : 1))
    }

    @Test func `finds a dependency that the layers forbid`() throws {
        let tree = try TemporaryDirectory("check")
        try Files.write(
            """
            // swift-tools-version: 6.2
            import PackageDescription
            let package = Package(
                name: "ftpfs",
                targets: [
                    .target(name: "Vocabulary"), .target(name: "Threading", dependencies: ["Vocabulary"]),
                    .target(name: "Elsewhere"),
                ])
            """, to: tree.path("Package.swift"))

        let outcome = try Shell.run([Repository.script("check"), "--root", tree.path, "--only", "manifest"])

        #expect(outcome.output.contains("Threading may not depend on Vocabulary"), "\(outcome)")
        #expect(outcome.output.contains("target Elsewhere is not in the table"), "\(outcome)")
    }
}
