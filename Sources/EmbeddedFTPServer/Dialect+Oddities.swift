internal import Threading
internal import Vocabulary

extension Dialect {
    /// What few servers do, and no product by default: deviations that have to be switched on.
    package struct Oddities: OptionSet, Sendable {
        package let rawValue: UInt64

        package init(rawValue: UInt64) { self.rawValue = rawValue }

        /// RMD removes a directory with everything in it.
        package static let removesFullDirectories = Oddities(rawValue: 1 << 0)
        /// STOR makes, or empties, the file when the first byte arrives, so that no byte makes no file.
        package static let makesNoEmptyFiles = Oddities(rawValue: 1 << 1)
        /// A directory in which any session is can be neither renamed nor removed (Windows).
        package static let keepsDirectoriesInUse = Oddities(rawValue: 1 << 2)
        /// SITE takes its arguments apart at blanks, and understands double quotes.
        package static let splitsSiteArguments = Oddities(rawValue: 1 << 3)
        /// SITE UTIME wants the name first and three times behind it.
        package static let wantsLongUtime = Oddities(rawValue: 1 << 4)
    }
}

extension Session {
    /// Whether a directory may be renamed or removed, as far as sessions are in it.
    func mayMove(_ path: ServerPath) -> Bool {
        guard dialect.oddities.contains(.keepsDirectoriesInUse) else { return true }
        return core.directories.withLock { directories in
            !directories.values.contains { $0.components.starts(with: path.components) }
        }
    }

    /// Removes a directory as the dialect does it.
    func removeDirectory(_ path: ServerPath) throws(StorageError) {
        guard mayMove(path) else { throw .denied }
        if dialect.oddities.contains(.removesFullDirectories) { try empty(path) }
        try storage.removeDirectory(path)
    }

    private func empty(_ directory: ServerPath) throws(StorageError) {
        for entry in try storage.list(directory) {
            let path = directory.appending(entry.name)
            if entry.attributes.kind == .directory {
                try empty(path)
                try storage.removeDirectory(path)
            } else {
                try storage.removeFile(path)
            }
        }
    }

    /// The arguments of a SITE command, as the dialect takes them apart; `nil`: as one.
    func siteWords(_ argument: [UInt8]) -> [[UInt8]]? {
        guard dialect.oddities.contains(.splitsSiteArguments) else { return nil }
        var words: [[UInt8]] = []
        var word: [UInt8]?
        var isQuoted = false
        for byte in argument {
            switch byte {
            case 0x22:
                isQuoted.toggle()
                word = word ?? []
            case 0x20 where !isQuoted:
                if let done = word { words.append(done) }
                word = nil
            default:
                word = (word ?? []) + [byte]
            }
        }
        return words + (word.map { [$0] } ?? [])
    }
}

/// A file that is opened with its first byte.
final class LateWriter: StorageWriter {
    private let open: () throws(StorageError) -> any StorageWriter
    private var writer: (any StorageWriter)?

    init(_ open: @escaping () throws(StorageError) -> any StorageWriter) {
        self.open = open
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws(StorageError) {
        if bytes.isEmpty { return }
        if writer == nil { writer = try open() }
        try writer?.write(bytes)
    }

    func close() throws(StorageError) { try writer?.close() }
}
