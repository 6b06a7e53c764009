import FTPProtocol
import Vocabulary

/// What can be done with files.
extension ServerProbe {
    /// Large enough that it comes in more than one piece, small enough for any line.
    private static let sample = ProbeRun.pattern(64 * 1024)
    /// Somewhere inside, at no round number.
    private static let middle = 12_345

    static let fileSteps: [Step] = [
        file("integrity", "a file comes back as it was sent") { (run, path) throws(FTPError) in
            .init(try run.read(path) == sample)
        },
        file("size", "its size (SIZE)") { (run, path) throws(FTPError) in
            guard let size = try run.session().size(of: path, run.cancellation) else { return .init(.no) }
            return .init(size == Int64(sample.count), size == Int64(sample.count) ? nil : "it says \(size)")
        },
        file("rest_read", "reading from the middle (REST, RETR)") { (run, path) throws(FTPError) in
            let bytes = try run.read(path, from: Int64(middle))
            guard run.server.known.hasRestart else { return .init(.no) }
            return .init(bytes == Array(sample[middle...]))
        },
        file("rest_write", "writing into the middle (REST, STOR)") { (run, path) throws(FTPError) in
            let patch = [UInt8](repeating: 0xA5, count: 10)
            try run.write(patch, to: path, at: Int64(middle))
            let head = Array(sample[..<middle])
            switch try run.read(path) {
            case head + patch + sample[(middle + patch.count)...]: return .init(.yes, "what follows is kept")
            case head + patch: return .init(.no, "what follows is cut off")
            case patch: return .init(.no, "REST is not heeded: the file is replaced")
            default: return .init(.no, "the file is damaged by it")
            }
        },
        file("append", "appending (APPE)") { (run, path) throws(FTPError) in
            try run.write([1, 2, 3], to: path, .append)
            return .init(try run.read(path) == sample + [1, 2, 3])
        },
        file("empty", "an empty file can be made") { (run, path) throws(FTPError) in
            let empty = try run.place("empty")
            try run.write([], to: empty)
            return .init(try run.session().status(of: empty, run.cancellation)?.kind == .file)
        },
        file("set_time", "times can be set") { (run, path) throws(FTPError) in
            // 2001-02-03T04:05:06Z: no zone, rounding or present moment looks like it.
            let wanted = Timestamp(seconds: 981_173_106)
            try run.session().setModificationTime(path, to: wanted, run.cancellation)
            let verb =
                switch run.server.known.time {
                case .mfmt: "by MFMT"
                case .mdtm: "by MDTM"
                case .siteUTime, .siteUTimeLong: "by SITE UTIME"
                case .none: "by nothing"
                }
            var time = try run.session().modificationTime(of: path, run.cancellation)
            if time == nil { time = try run.session().status(of: path, run.cancellation)?.modified }
            return .init(time?.seconds == wanted.seconds, verb)
        },
        file("set_mode", "permissions can be set (SITE CHMOD)") { (run, path) throws(FTPError) in
            try run.session().setMode(path, to: 0o640, run.cancellation)
            guard let mode = try run.session().status(of: path, run.cancellation)?.mode else {
                return .init(.unknown, "it is answered well, but no listing shows permissions")
            }
            return .init(mode == 0o640)
        },
        file("rename_replaces", "renaming replaces what is there") { (run, path) throws(FTPError) in
            let other = try run.place("other")
            try run.write([1], to: other)
            try run.session().rename(other, to: path, run.cancellation)
            return .init(try run.read(path) == [1])
        },
        file("symbolic_link", "symbolic links can be made (SITE SYMLINK)") { (run, path) throws(FTPError) in
            let link = try run.place("link")
            try run.session().makeSymbolicLink(link, target: Array("sample".utf8), run.cancellation)
            return .init(try run.session().status(of: link, run.cancellation)?.kind == .symbolicLink)
        },
        Step(section: .files, key: "range", title: "ranges (RANG)") { (run) throws(FTPError) in
            .init(try announces("RANG", run), "as announced; not tried")
        },
        Step(section: .files, key: "checksum", title: "checksums") { (run) throws(FTPError) in
            let features = try run.session().server.known.features
            let known = ["HASH", "XCRC", "XMD5", "XSHA", "XSHA1", "XSHA256", "XSHA512", "MD5"].filter {
                features?.contains($0) ?? false
            }
            return known.isEmpty ? .init(.no) : .init(.text(known.joined(separator: " ")))
        },
        Step(section: .files, key: "free_space", title: "free space (AVBL)") { (run) throws(FTPError) in
            let reply = try run.session().complete(Command("AVBL"), run.cancellation)
            return .init(.text(printable(reply.text)))
        },
    ]

    /// A trial with a fresh file.
    private static func file(
        _ key: String, _ title: String,
        _ body: @escaping @Sendable (ProbeRun, RemotePath) throws(FTPError) -> Finding.Outcome
    ) -> Step {
        Step(section: .files, key: key, title: title, needsScratch: true) { (run) throws(FTPError) in
            let path = try run.place("sample")
            try run.write(sample, to: path)
            return try body(run, path)
        }
    }

    private static func announces(_ name: String, _ run: ProbeRun) throws(FTPError) -> Bool {
        try run.session().server.known.features?.contains(name) ?? false
    }
}
