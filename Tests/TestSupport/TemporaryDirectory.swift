#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A directory of its own in `$TMPDIR` (else /tmp), removed with all that is in it when the value goes.
///
/// Everybody may enter it: the test servers' sessions are not root.
package final class TemporaryDirectory: Sendable {
    package let path: String

    /// - Parameter purpose: a word that tells a person what the directory was for.
    package init(_ purpose: String) throws {
        let base = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
        var template = Array("\(base)/ftpfs-\(purpose)-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else {
            throw TestFailure("mkdtemp in \(base): \(String(cString: strerror(errno)))")
        }
        path = template.withUnsafeBufferPointer {
            String(decoding: $0.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }
        chmod(path, 0o755)
    }

    deinit {
        // `rm` and not code of ours: it stays on one file system, so that a mount which could not be ended loses nothing.
        _ = try? Shell.run("rm -rf --one-file-system -- \"$DIRECTORY\"", ["DIRECTORY": path], timeout: .seconds(120))
    }

    /// A path inside.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes a directory inside and returns its path.
    package func makeDirectory(_ name: String) throws -> String {
        let path = path(name)
        guard mkdir(path, 0o755) == 0 else { throw TestFailure("mkdir \(path): \(String(cString: strerror(errno)))") }
        return path
    }
}
