import SystemPackage
import Testing

#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// A directory for one test.
struct TemporaryDirectory {
    let path: String

    /// Writes a file with the given permission bits and returns its path.
    func write(_ name: String, _ content: String, mode: UInt32) throws -> String {
        let file = path + "/" + name
        let descriptor = try FileDescriptor.open(
            file, .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: .ownerReadWrite)
        try descriptor.closeAfter { _ = try descriptor.writeAll(content.utf8) }
        try #require(chmod(file, mode) == 0)
        return file
    }
}

/// Calls with a new directory, and removes it with all that is in it, also when the test fails.
func withTemporaryDirectory(_ body: (TemporaryDirectory) throws -> Void) throws {
    var template = Array("/tmp/ftpfs-test-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    let path = FilePath(platformString: template).string
    defer { removeTree(path) }
    try body(TemporaryDirectory(path: path))
}

/// rm(1), which stays on this file system: whatever is still mounted below is not touched.
private func removeTree(_ path: String) {
    let arguments = ["rm", "-rf", "--one-file-system", "--", path]
    let vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    defer { for argument in vector { free(argument) } }
    var process = pid_t()
    guard posix_spawnp(&process, "rm", nil, nil, vector, environ) == 0 else { return }
    var status: Int32 = 0
    waitpid(process, &status, 0)
}
