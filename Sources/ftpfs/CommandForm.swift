import ArgumentParser
import FTPMount

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The forms of the command line. Which one it is, the name that the program was called by and the first argument
/// decide:
///
/// - `ftpfs [mount] URL MOUNTPOINT …`
/// - `mount.ftpfs URL MOUNTPOINT …`, called by mount(8), in which some letters mean something else
/// - `ftpfs COMMAND …`, see ``commands``
enum CommandForm {
    /// The words that may be the first argument. No URL is one of them: it has `://` in it.
    static let commands: [String: any (ParsableArguments & Runnable).Type] = [
        "mount": MountArguments.self, "unmount": UnmountArguments.self, "umount": UnmountArguments.self,
        "status": StatusArguments.self, "list": ListArguments.self, "refresh": RefreshArguments.self,
        "flush": FlushArguments.self, "clean": CleanArguments.self, "probe": ProbeArguments.self,
        "serve": ServeArguments.self, "demo": DemoArguments.self, "generate": GenerateArguments.self,
    ]

    /// Does what the arguments say, and returns when the mount answers (or, in the foreground, when it has ended).
    static func run(_ arguments: [[UInt8]]) -> FTPMount.ExitCode {
        let program = arguments.first.map(baseName) ?? "ftpfs"
        var texts: [String] = []
        for argument in arguments.dropFirst() {
            // Nothing that needs other bytes has to be an argument: a URL can write them as %XX, a password can be in
            // a file.
            guard let text = String(validating: argument, as: UTF8.self) else {
                return complain(program, "an argument is not UTF-8; write other bytes of a URL as %XX")
            }
            texts.append(text)
        }
        if program.hasPrefix("mount.") { return run(HelperArguments.self, texts, as: program) }
        if let command = texts.first.flatMap({ commands[$0] }) {
            return run(command, Array(texts.dropFirst()), as: program)
        }
        if let word = texts.first, let command = nearestCommand(to: word) {
            return complain(program, "unknown command \(word); did you mean \(program) \(command)?")
        }
        return run(MountArguments.self, texts, as: program)
    }

    /// The command that a word which is neither one nor a URL most likely was to be.
    private static func nearestCommand(to word: String) -> String? {
        // What can be a host or an option is left to the mount to complain about.
        guard !word.isEmpty, word.utf8.allSatisfy({ (0x61...0x7A).contains($0) }) else { return nil }
        return nearestWord(to: word, among: commands.keys.sorted())
    }

    /// What an unknown flag most likely was to be.
    private static func suggestion(for texts: [String], _ form: any ParsableArguments.Type) -> String? {
        guard form is any TakesMountOptions.Type else { return nil }
        return LongOption.nearest(toUnknownIn: texts).map { "did you mean \($0)?" }
    }

    private static func run<Form: ParsableArguments & Runnable>(
        _ form: Form.Type, _ texts: [String], as program: String
    ) -> FTPMount.ExitCode {
        do {
            let arguments = form is any TakesMountOptions.Type ? LongOption.rewritten(texts) : texts
            return try form.parse(arguments).run(as: program)
        } catch {
            // `--help` and `--version` come as errors too.
            guard form.exitCode(for: error) != .success else {
                print(form.fullMessage(for: error))
                return .success
            }
            let message = form.message(for: error)
            let hint = message.hasPrefix("Unknown option") ? suggestion(for: texts, form) : nil
            return complain(program, "\(message); \(hint ?? "see \(program) --help")")
        }
    }

    private static func complain(_ program: String, _ message: String) -> FTPMount.ExitCode {
        let failure = MountFailure(.usage, message.split(separator: "\n").joined(separator: " "))
        fputs(failure.line(program: program) + "\n", stderr)
        return failure.code
    }

    private static func baseName(_ path: [UInt8]) -> String {
        String(decoding: path.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
    }
}

/// A form of the command line that has `-o`, and so all that can be behind it as long flags.
protocol TakesMountOptions {}

/// A form of the command line whose arguments have been read.
protocol Runnable {
    /// Does it.
    func run(as program: String) -> FTPMount.ExitCode
}
