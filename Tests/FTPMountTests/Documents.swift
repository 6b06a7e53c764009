import SystemPackage

/// Pages of the repository.
enum Documents {
    /// The text of a file, by its path from the top.
    static func text(_ path: String) throws -> String {
        let file = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending(path)
        let descriptor = try FileDescriptor.open(file, .readOnly, options: [.closeOnExec])
        return try descriptor.closeAfter {
            var buffer = [UInt8](repeating: 0, count: 256 << 10)
            let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}

extension Documents {
    /// The text of any file.
    static func content(_ path: String) throws -> String {
        let descriptor = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        return try descriptor.closeAfter {
            var buffer = [UInt8](repeating: 0, count: 64 << 10)
            let count = try buffer.withUnsafeMutableBytes { try descriptor.read(into: $0) }
            return String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
