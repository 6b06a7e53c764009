#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// The few file operations that the test support needs itself.
package enum Files {
    /// The whole file from an offset on; empty if it cannot be read.
    package static func read(_ path: String, from offset: Int = 0) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return [] }
        defer { close(file) }
        lseek(file, off_t(offset), SEEK_SET)
        var content: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            guard count > 0 else { return content }
            content += buffer[..<count]
        }
    }

    /// The file as text.
    package static func text(_ path: String, from offset: Int = 0) -> String {
        String(decoding: read(path, from: offset), as: UTF8.self)
    }

    /// How long the file is; 0 when there is none.
    package static func size(_ path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }

    /// Writes a file that only its owner may read.
    package static func write(_ text: String, to path: String) throws {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw TestFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
        defer { close(file) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw TestFailure("cannot write \(path): \(String(cString: strerror(errno)))") }
            rest = rest.dropFirst(count)
        }
    }
}
