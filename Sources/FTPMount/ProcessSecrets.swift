#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Passwords in the memory that `ps` and /proc/PID/environ show.
package enum ProcessSecrets {
    /// The arguments of this process, copied; where they hold a password, the original is overwritten with `*`.
    ///
    /// Call it first of all: until then `ps` shows the password. Call it once, while there is one thread: the second
    /// call would find the stars.
    package static func takeArguments() -> [[UInt8]] {
        let count = Int(CommandLine.argc)
        var arguments: [[UInt8]] = []
        for position in 0..<count {
            guard let text = CommandLine.unsafeArgv[position] else { break }
            arguments.append(Array(UnsafeBufferPointer(start: text, count: strlen(text))).map(UInt8.init(bitPattern:)))
        }
        for (position, ranges) in secretRanges(in: arguments).enumerated() {
            guard let text = CommandLine.unsafeArgv[position] else { break }
            for index in ranges.joined() { text[index] = CChar(UInt8(ascii: "*")) }
        }
        return arguments
    }

    /// The value of an environment variable; its memory is overwritten, and it is gone for this process and its
    /// children. Call it while there is one thread.
    package static func takeVariable(_ name: String) -> [UInt8]? {
        guard let text = getenv(name) else { return nil }
        let value = Array(UnsafeBufferPointer(start: text, count: strlen(text))).map(UInt8.init(bitPattern:))
        memset(text, Int32(UInt8(ascii: "*")), value.count)
        unsetenv(name)
        return value
    }

    /// Where passwords stand in arguments: for each argument the ranges of its bytes.
    ///
    /// It must find them in what is not well-formed too, and before anything has been understood; a star too many
    /// does no harm.
    static func secretRanges(in arguments: [[UInt8]]) -> [[Range<Int>]] {
        arguments.enumerated().map { position, argument in
            // `--password x`
            if position > 0, let name = longName(arguments[position - 1]), MountOption.isSecret(name), !argument.isEmpty
            {
                return [0..<argument.count]
            }
            return urlPassword(in: argument).map { [$0] } ?? optionPasswords(in: argument)
        }
    }

    /// The name in `--NAME`; `nil` for anything else, also for `--NAME=VALUE`.
    private static func longName(_ argument: [UInt8]) -> String? {
        guard argument.starts(with: Array("--".utf8)), !argument.contains(UInt8(ascii: "=")) else { return nil }
        return LongOption.name(of: String(decoding: argument.dropFirst(2), as: UTF8.self))
    }

    private static func urlPassword(in argument: [UInt8]) -> Range<Int>? {
        let program = ServerAddress.programs.first { argument.starts(with: Array($0.utf8)) }
        guard let start = argument.firstRange(of: Array("://".utf8))?.upperBound ?? program?.utf8.count else {
            return nil
        }
        // An option list may hold a URL too, but only the argument that is one has its scheme first.
        guard argument[..<start].allSatisfy({ $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: "=") }) else { return nil }
        let rest = argument[start...]
        let authority = rest.prefix { $0 != UInt8(ascii: "/") }
        // A password with an unescaped `/` ends the authority too early: then the last `@` of all counts.
        guard let at = authority.lastIndex(of: UInt8(ascii: "@")) ?? rest.lastIndex(of: UInt8(ascii: "@")),
            let colon = rest[..<at].firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        return colon + 1..<at
    }

    private static func optionPasswords(in argument: [UInt8]) -> [Range<Int>] {
        // `-o password=x`, `-opassword=x`, `-fopassword=x` and `--password=x` are all possible.
        let isLong = argument.starts(with: Array("--".utf8))
        let start =
            isLong
            ? 2 : argument.first == UInt8(ascii: "-") ? argument.firstIndex(of: UInt8(ascii: "o")).map { $0 + 1 } : 0
        guard let start else { return [] }
        // The value of a long option is not taken apart at commas.
        if isLong, let equals = argument.firstIndex(of: UInt8(ascii: "=")) {
            let name = LongOption.name(of: String(decoding: argument[start..<equals], as: UTF8.self))
            return MountOption.isSecret(name) && equals + 1 < argument.count ? [equals + 1..<argument.count] : []
        }
        return OptionList(Array(argument[start...])).items
            .filter { MountOption.isSecret($0.name) && $0.value?.isEmpty == false }
            .map { $0.valueRange.lowerBound + start..<$0.valueRange.upperBound + start }
    }
}
