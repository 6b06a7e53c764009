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
