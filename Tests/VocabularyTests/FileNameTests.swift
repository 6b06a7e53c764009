import Testing
import Vocabulary

@Suite struct FileNameTests {
    @Test(arguments: [
        "a", "...", ". .", " ", " a ", "..a", "a..", "-rf", "*?[]#%", "\\", "\"", "a\tb", "ü", "e\u{301}", "日本語",
        String(repeating: "x", count: 255),
    ])
    func acceptsWhatServersHave(name: String) throws {
        #expect(try FileName(validating: name).bytes == Array(name.utf8))
    }

    @Test(arguments: [[0xFF], [0xE4, 0x20], [0x01], [0x7F], [0xC0, 0xAF]] as [[UInt8]])
    func acceptsBytesThatAreNotText(bytes: [UInt8]) throws {
        #expect(try FileName(validating: bytes).bytes == bytes)
    }

    @Test(
        arguments: [
            ("", .empty), (".", .dotOrDotDot), ("..", .dotOrDotDot), ("/", .slash), ("a/b", .slash), ("a/", .slash),
            ("../x", .slash), ("a\0", .controlByte), ("a\rb", .controlByte), ("a\nb", .controlByte),
            ("\r\n", .controlByte),
            (String(repeating: "x", count: 256), .tooLong),
        ] as [(String, FileName.Invalid)])
    func refuses(name: String, reason: FileName.Invalid) {
        #expect(throws: reason) { try FileName(validating: name) }
    }

    @Test func comparesBytesAndNotText() throws {
        // One letter in two spellings: equal as String, two files on a server.
        let composed = try FileName(validating: "\u{E9}")
        let decomposed = try FileName(validating: "e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed, composed]).count == 2)
    }

    @Test func sortsLikeTheCLocale() throws {
        let names = try ["b", "B", "a", "_", "é", "ab"].map { try FileName(validating: $0) }
        #expect(names.sorted().map(\.description) == ["B", "_", "a", "ab", "b", "é"])
    }

    @Test func showsBadBytesEscaped() throws {
        #expect(try FileName(validating: [0x61, 0xFF, 0x1B] as [UInt8]).description == "a\\xff\\x1b")
    }
}
