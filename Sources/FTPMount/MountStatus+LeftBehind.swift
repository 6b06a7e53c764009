import FileSystem
import Vocabulary

extension MountStatus {
    /// A temporary file on the server that some mount has left there.
    struct LeftBehind: Hashable, Sendable {
        /// In the mount.
        var path: String
        /// `nil`: the server does not say.
        var size: Int64?
        /// When it was last written, in seconds since 1970.
        var modified: Int64
    }
}

extension MountStatus {
    /// What is kept on this side of files whose content the server may not have.
    struct Kept: Hashable, Sendable {
        /// In which directory.
        var directory = ""
        /// How many could not be sent, and how many were being written when a mount was killed.
        var unsent: Int64 = 0
        var unclosed: Int64 = 0
        var bytes: Int64 = 0
    }
}

extension MountStatus.Kept {
    init(_ files: KeptFiles) {
        self.init(
            directory: printable("\(files.directory)".utf8), unsent: Int64(files.unsent),
            unclosed: Int64(files.unclosed),
            bytes: files.byteCount)
    }

    var json: JSON {
        .object([
            ("directory", .string(directory)), ("unsent_files", .integer(unsent)),
            ("unclosed_files", .integer(unclosed)), ("bytes", .integer(bytes)),
        ])
    }

    init(json: JSON) {
        self.init(
            directory: json["directory"]?.stringValue ?? "", unsent: json["unsent_files"]?.integerValue ?? 0,
            unclosed: json["unclosed_files"]?.integerValue ?? 0, bytes: json["bytes"]?.integerValue ?? 0)
    }
}

extension MountStatus.LeftBehind {
    init(_ file: LeftOver) {
        self.init(path: file.path.description, size: file.size, modified: file.modified.seconds)
    }

    var json: JSON {
        .object([
            ("path", .string(path)), ("bytes", size.map(JSON.integer) ?? .null), ("modified", .integer(modified)),
        ])
    }

    init?(json: JSON) {
        guard let path = json["path"]?.stringValue else { return nil }
        self.init(path: path, size: json["bytes"]?.integerValue, modified: json["modified"]?.integerValue ?? 0)
    }
}
