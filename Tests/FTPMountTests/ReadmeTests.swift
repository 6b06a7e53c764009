import SystemPackage
import Testing

@testable import FTPMount

/// The documentation says what the program does.
@Suite("The documentation")
struct ReadmeTests {
    @Test("lists the options as the table of the program has them")
    func options() throws {
        let path = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
            .appending("Sources/ftpfs/ftpfs.docc/Options.md")
        let file = try FileDescriptor.open(path, .readOnly, options: [.closeOnExec])
        defer { try? file.close() }
        var buffer = [UInt8](repeating: 0, count: 256 << 10)
        let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
        let page = String(decoding: buffer[..<count], as: UTF8.self)

        #expect(page.contains(OptionHelp.markdown), "put this into it:\n\(OptionHelp.markdown)")
    }
}
