import SystemPackage

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Files that hold passwords: read only when nobody else can.
enum PrivateFile {
    /// Why a file was not read.
    enum Refused: Error, Equatable {
        /// There is none.
        case missing
        /// It cannot be opened or read.
        case unreadable(Errno)
        /// It is a directory or a device.
        case notAFile
        /// It belongs to somebody who is neither root nor whoever runs this.
        case foreign
        /// Its group or others may read or write it.
        case open
        /// It is larger than any such file.
        case tooLarge

        /// The end of a sentence that begins with the file's name; with the remedy.
        var sentence: String {
            switch self {
            case .missing: "does not exist"
            case .unreadable(let error): "cannot be read: \(error)"
            case .notAFile: "is not a file"
            case .foreign: "belongs to another user; it must be yours or root's"
            case .open: "can be used by other users; run chmod 600 on it"
            case .tooLarge: "is larger than 64 KiB"
            }
        }
    }

    /// More than any list of passwords of one person, and little enough to read at once.
    private static let maximumSize = 64 << 10

    /// Reads a whole file, or a pipe like the shell's `<(command)`, of which only the owner must have rights.
    static func read(_ path: String) throws(Refused) -> [UInt8] {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        } catch let error as Errno {
            throw error == .noSuchFileOrDirectory ? .missing : .unreadable(error)
        } catch {
            throw .unreadable(.ioError)
        }
        defer { try? descriptor.close() }
        var status = stat()
        guard fstat(descriptor.rawValue, &status) == 0 else { throw .unreadable(Errno(rawValue: errno)) }
        let kind = status.st_mode & S_IFMT
        guard kind == S_IFREG || kind == S_IFIFO else { throw .notAFile }
        guard status.st_uid == geteuid() || status.st_uid == 0 else { throw .foreign }
        guard status.st_mode & 0o077 == 0 else { throw .open }
        return try content(of: descriptor)
    }

    private static func content(of descriptor: FileDescriptor) throws(Refused) -> [UInt8] {
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count: Int
            do {
                count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            } catch let error as Errno {
                throw .unreadable(error)
            } catch {
                throw .unreadable(.ioError)
            }
            if count == 0 { return content }
            content += buffer[..<count]
            if content.count > maximumSize { throw .tooLarge }
        }
    }
}
