#if canImport(Glibc)
@preconcurrency import Glibc
#endif

/// Where things are in the source tree and in the build.
package enum Repository {
    /// The top of the source tree.
    package static let root: String = {
        // Tests/TestSupport/Repository.swift
        #filePath.split(separator: "/").dropLast(3).reduce(into: "") { $0 += "/\($1)" }
    }()

    /// The `ftpfs` that was built together with the tests: it lies beside the program that runs them. `FTPFS_TEST_PROGRAM` names
    /// another one, such as one with a sanitizer, which takes less time to build than tests with one.
    package static let program: String = {
        if let other = getenv("FTPFS_TEST_PROGRAM") { return String(cString: other) }
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let length = readlink("/proc/self/exe", &buffer, buffer.count)
        let runner = buffer.prefix(max(0, length)).map(UInt8.init(bitPattern:))
        let folder = runner[..<(runner.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
        let beside = String(decoding: folder, as: UTF8.self) + "/ftpfs"
        return access(beside, X_OK) == 0 ? beside : "\(root)/.build/debug/ftpfs"
    }()

    /// A script of the repository.
    package static func script(_ name: String) -> String { "\(root)/scripts/\(name)" }
}
