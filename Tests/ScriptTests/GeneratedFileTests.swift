import TestSupport
import Testing

/// The manual pages and completions that `ftpfs generate` prints: complete, well formed, and understood by real shells.
@Suite(.serialized, .timeLimit(.minutes(10))) struct GeneratedFileTests {
    static let manuals = ["ftpfs.8", "mount.ftpfs.8"]
    static let completions = ["bash": "ftpfs.bash", "zsh": "_ftpfs", "fish": "ftpfs.fish"]

    static func hasProgram(_ name: String) -> Bool { (try? Shell.run("command -v \(name)").succeeded) ?? false }

    static func text(_ file: String) throws -> String {
        let outcome = try Shell.run([Repository.program, "generate", file])
        try #require(outcome.succeeded, "\(outcome)")
        return outcome.output
    }

    /// All names of the options, with their aliases, from the first column of the table in the documentation.
    static func optionNames() throws -> [String] {
        try text("options.md").split(separator: "\n").dropFirst(2).flatMap { row -> [String] in
            let cell = row.split(separator: " | ").first ?? ""
            return cell.split(separator: "`").enumerated().filter { !$0.offset.isMultiple(of: 2) }
                .map { String($0.element.prefix { $0 != "=" }) }
        }
    }

    /// The words behind `ftpfs` that its help shows.
    static func commands() throws -> [String] {
        let help = try Shell.run([Repository.program, "--help"]).output
        let lines = help.split(separator: "\n").map { $0.split(separator: " ") }
        return lines.compactMap { words in
            guard let place = words.firstIndex(of: "ftpfs"), place + 1 < words.count else { return nil }
            return words[place + 1].allSatisfy { $0.isLowercase && $0.isASCII } ? String(words[place + 1]) : nil
        }
    }

    @Test(arguments: manuals + completions.values.sorted())
    func `hold every option`(_ file: String) throws {
        let text = try Self.text(file)
        let names = try Self.optionNames()
        #expect(names.count > 50)
        for name in names { #expect(text.contains(name), "\(file) lacks \(name)") }
    }

    @Test(arguments: ["ftpfs.8"] + completions.values.sorted())
    func `hold every command`(_ file: String) throws {
        let text = try Self.text(file)
        let commands = try Self.commands()
        #expect(commands.contains("unmount") && commands.contains("status"))
        for command in commands { #expect(text.contains(command), "\(file) lacks \(command)") }
    }

    @Test(.enabled(if: hasProgram("mandoc"), "mandoc is not installed"), arguments: manuals)
    func `are manual pages without a warning of mandoc`(_ file: String) throws {
        let directory = try TemporaryDirectory("manual")
        try Files.write(try Self.text(file), to: directory.path(file))
        // Below warnings there are matters of taste, like pages that are not installed here.
        let outcome = try Shell.run(["mandoc", "-Tlint", "-Wwarning", directory.path(file)])
        #expect(outcome.succeeded && outcome.output.isEmpty, "\(outcome)")
    }

    @Test(.enabled(if: hasProgram("groff"), "groff is not installed"), arguments: manuals)
    func `are manual pages without a warning of groff`(_ file: String) throws {
        let directory = try TemporaryDirectory("manual")
        try Files.write(try Self.text(file), to: directory.path(file))
        let outcome = try Shell.run(["groff", "-ww", "-mdoc", "-Tutf8", "-z", directory.path(file)])
        #expect(outcome.succeeded && outcome.errors.isEmpty, "\(outcome)")
    }

    /// A line up to the cursor, and words that must be offered for it.
    static let lines: [(line: String, words: [String])] = [
        ("ftpfs un", ["unmount"]),
        ("ftpfs status --w", ["--watch"]),
        ("ftpfs unmount ", ["/mnt/one", "/mnt/other"]),
        ("ftpfs ftp://host/ /mnt -o tls_c", ["tls_ca", "tls_cert"]),
        ("ftpfs ftp://host/ /mnt -o ro,symlinks=", ["contain", "follow", "keep"]),
        ("mount.ftpfs ftp://host/ /mnt -o nofa", ["nofail"]),
        ("ftpfs serve --tls ", ["explicit", "implicit"]),
        ("ftpfs --syml", ["--symlinks"]),
        ("ftpfs ftp://host/ /mnt --dir-t", ["--dir-ttl"]),
        ("ftpfs ftp://host/ /mnt --symlinks=", ["contain", "follow", "keep"]),
        ("ftpfs probe ftp://host/ --tls-verify ", ["yes", "no"]),
        ("ftpfs probe --tls-v", ["--tls-verify"]),
        ("ftpfs --dir-ttl 5 f", ["ftpes://"]),
    ]

    @Test(arguments: ["bash", "fish", "zsh"].filter(hasProgram))
    func `complete lines in a real shell`(_ shell: String) throws {
        let directory = try TemporaryDirectory("completion")
        let file = try #require(Self.completions[shell])
        try Files.write(try Self.text(file), to: directory.path(file))
        // Mounts that are not there, for this test alone.
        try Files.write("#!/bin/sh\nprintf '/mnt/one\\n/mnt/other\\n'\n", to: directory.path("ftpfs"))
        _ = try Shell.run(["chmod", "+x", directory.path("ftpfs")])

        let outcome = try Shell.run(
            "PATH=\(directory.path):$PATH exec \"$@\"".asScript(
                [Repository.script("packaging/try-completions"), shell, directory.path(file)] + Self.lines.map(\.line)),
            timeout: .seconds(280))

        let answers = outcome.output.split(separator: "\n").map(String.init)
        #expect(outcome.succeeded && answers.count == Self.lines.count, "\(outcome)")
        for ((line, words), answer) in zip(Self.lines, answers) {
            for word in words { #expect(answer.dropFirst(line.count).contains(word), "\(shell): \(answer)") }
        }
    }
}

extension String {
    /// A script with arguments, as the words of a command.
    fileprivate func asScript(_ arguments: [String]) -> [String] { ["bash", "-c", self, "bash"] + arguments }
}
